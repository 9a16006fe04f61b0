/** A GET of the bed's own programs. */

/**
 * JSON of a GET.
 * @throws Error with status and body when it is not answered with 200
 */
export async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`GET ${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** Whether a GET is answered with 200; an absent server is a no. */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
