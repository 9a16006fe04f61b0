/** How patient the files source is. Milliseconds. */
export interface FilesTimings {
  /** How often the folder is looked at; notifications of the file system only make it sooner. */
  readonly poll: number;
  /** A file is read when its size and time have not changed for this long. */
  readonly stillness: number;
  /** What is missing is removed when it is still missing this much later. */
  readonly secondLook: number;
  /** A file that has not stood still for this long is reported. */
  readonly restless: number;
}

/** Long enough for an editor or kubectl to finish writing, and a poll that nobody notices. */
export const DEFAULT_TIMINGS: FilesTimings = { poll: 250, stillness: 500, secondLook: 5_000, restless: 10_000 };
