import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '../core/error.ts';
import type { Timestamp } from '../core/model.ts';
import type { Problem } from '../core/ports.ts';
import { type CertificateFiles, type Certificates, checkCertificates } from './certificates.ts';

/** The agent renews after half of a day; what matters is to notice within seconds, on every file system. */
const LOOK_INTERVAL_MS = 1_000;

export interface CertificateFolderOptions {
  /** Folder of `key.pem`, `cert-chain.pem` and `root-cert.pem`. */
  readonly path: string;
  /** Told once for each fault that a second look finds too. */
  readonly onProblem: (problem: Problem) => void;
  /** Default: a second. */
  readonly intervalMs?: number;
}

/** How the certificates stand, for readiness. */
export interface CertificateStatus {
  /** Whether there are certificates that a peer can accept. */
  readonly ok: boolean;
  /** Whether the files are not readable at present. */
  readonly degraded: boolean;
  readonly detail: string;
}

/**
 * The certificates in a folder that istio-agent keeps fresh. It writes key and certificate one after the other, so what
 * is no pair is looked at again, and the last good ones stay until there are new good ones.
 */
export class CertificateFolder {
  readonly #options: CertificateFolderOptions;
  readonly #listeners = new Set<(certificates: Certificates) => void>();
  #current: Certificates | undefined;
  /** What the last look found wrong. */
  #fault: string | undefined;
  /** What was told of it. */
  #told: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: CertificateFolderOptions) {
    this.#options = options;
  }

  /** The last good ones. */
  get current(): Certificates | undefined {
    return this.#current;
  }

  /** Calls back with new certificates, from the next ones on. @returns what ends that */
  onChange(listener: (certificates: Certificates) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks, and goes on looking. The files may come later: beside a pod's containers the agent starts as they do. */
  async start(): Promise<void> {
    await this.#look();
    if (!this.#isStopped) this.#timer = setTimeout(() => void this.start(), this.#interval).unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  status(now: Timestamp): CertificateStatus {
    const { path } = this.#options;
    const fault = this.#fault === undefined ? '' : `; ${path}: ${this.#fault}`;
    const degraded = this.#fault !== undefined;
    if (!this.#current) return { ok: false, degraded, detail: `none yet${fault}` };
    const { validUntil, id } = this.#current;
    const isExpired = validUntil <= now;
    const detail = `${id.uri} ${isExpired ? 'has expired' : 'is valid until'} ${new Date(validUntil).toISOString()}`;
    return { ok: !isExpired, degraded, detail: detail + fault };
  }

  get #interval(): number {
    return this.#options.intervalMs ?? LOOK_INTERVAL_MS;
  }

  async #look(): Promise<void> {
    try {
      const files = await this.#read();
      if (!isSame(files, this.#current)) this.#accept(checkCertificates(files));
      this.#fault = undefined;
      this.#told = undefined;
    } catch (error) {
      this.#fail(reasonOf(error));
    }
  }

  async #read(): Promise<CertificateFiles> {
    // One after the other: of several that are missing the same one is named each time.
    const read = (file: string): Promise<Buffer> => readFile(join(this.#options.path, file));
    const key = await read('key.pem');
    const chain = await read('cert-chain.pem');
    const root = await read('root-cert.pem');
    return { key, chain, root };
  }

  #accept(certificates: Certificates): void {
    this.#current = certificates;
    for (const listener of this.#listeners) listener(certificates);
  }

  #fail(fault: string): void {
    const isSecondLook = this.#fault === fault;
    this.#fault = fault;
    if (!isSecondLook || this.#told === fault) return;
    this.#told = fault;
    const stays = this.#current ? 'the last good certificates stay' : 'there are no certificates';
    this.#options.onProblem({ subject: this.#options.path, reason: `${fault}; ${stays}` });
  }
}

function isSame(files: CertificateFiles, current: Certificates | undefined): boolean {
  if (!current) return false;
  return files.key.equals(current.key) && files.chain.equals(current.chain) && files.root.equals(current.root);
}
