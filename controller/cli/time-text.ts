/** Times and amounts as people read them. */
import type { Timestamp } from '../core/model.ts';

const units: readonly (readonly [name: string, seconds: number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
];

/** `12s`, `5m`, `3h`, `18d`: the largest whole unit. */
function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1_000));
  const unit = units.find(([, size]) => seconds >= size);
  return unit ? `${Math.floor(seconds / unit[1])}${unit[0]}` : `${seconds}s`;
}

/** An ISO time as `12s ago`. */
export function ago(iso: string, now: Timestamp): string {
  return `${duration(now - Date.parse(iso))} ago`;
}

/** An ISO time as `2026-11-02 09:14:00 UTC`. */
export function utc(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}

/** A number with thousands apart: `1,204`. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1 edge`, `2 edges`, `0 proxies`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${grouped(value)} ${value === 1 ? one : many}`;
}
