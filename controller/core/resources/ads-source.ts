import type { Message } from './message.ts';

/**
 * A resource that comes on the sidecar's one ADS stream. The timeout bounds how long a resource that never comes holds
 * up the acknowledgement of all others, and how long a start without a controller takes.
 */
export function adsSource(): Message {
  return { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '2s' };
}
