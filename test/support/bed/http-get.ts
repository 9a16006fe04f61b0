/** A GET of the bed's own programs. */

/**
 * Body of a GET.
 * @throws Error with status and body when it is not answered with 200
 */
export async function getText(url: string): Promise<string> {
  const response = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(10_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`GET ${url}: ${response.status} ${text}`);
  return text;
}

/** The same as JSON. */
export async function getJson<T>(url: string): Promise<T> {
  return JSON.parse(await getText(url));
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
