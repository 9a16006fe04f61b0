/** nginx with one process: as a TCP proxy, or as an HTTP proxy that keeps connections to the origin. https://nginx.org/en/docs/ */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SocketAddress } from '../../../../controller/core/model.ts';
import { socketAddressText } from '../../../../controller/core/socket-address.ts';
import type { Place } from './place.ts';

const STREAM_MODULE = join(
  import.meta.dirname,
  '../../../../.tools/proxies/usr/lib/nginx/modules/ngx_stream_module.so',
);

/** @returns the command that runs it in the foreground */
export function nginxStream(place: Place): readonly string[] {
  const { listen, origin } = place;
  return nginx(
    place,
    `load_module ${STREAM_MODULE};`,
    `stream {
  server {
    listen ${socketAddressText(listen)} proxy_protocol;
    tcp_nodelay on;
    proxy_pass ${socketAddressText(origin)};
    proxy_timeout 1h;
  }
}`,
  );
}

/** @returns the command that runs it in the foreground */
export function nginxHttp(place: Place): readonly string[] {
  return nginx(place, '', httpBlock(place));
}

function httpBlock({ listen, origin }: { readonly listen: SocketAddress; readonly origin: SocketAddress }): string {
  return `http {
  access_log off;
  client_body_temp_path client-body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  upstream origin {
    server ${socketAddressText(origin)};
    keepalive 1000;
    keepalive_requests 1000000000;
  }
  server {
    listen ${socketAddressText(listen)} proxy_protocol;
    keepalive_requests 1000000000;
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
    }
  }
}`;
}

function nginx({ folder }: Place, modules: string, block: string): readonly string[] {
  const file = join(folder, 'nginx.conf');
  const settings = 'daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log stderr warn;';
  writeFileSync(file, `${modules}\n${settings}\nevents { worker_connections 10000; }\n${block}\n`);
  return ['nginx', '-p', `${folder}/`, '-e', 'stderr', '-c', file];
}
