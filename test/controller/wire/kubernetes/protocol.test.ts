import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PortProtocol } from '../../../../controller/core/model.ts';
import { istioPortProtocol, portProtocol } from '../../../../controller/wire/kubernetes/protocol.ts';

/** appProtocol, name, protocol. */
const CASES: readonly (readonly [string | undefined, string, PortProtocol])[] = [
  [undefined, 'http', 'HTTP'],
  [undefined, 'http-admin', 'HTTP'],
  [undefined, 'HTTP-Admin', 'HTTP'],
  [undefined, 'http2', 'HTTP2'],
  [undefined, 'http2-api', 'HTTP2'],
  [undefined, 'h2c', 'HTTP2'],
  [undefined, 'grpc', 'GRPC'],
  [undefined, 'grpc-api', 'GRPC'],
  [undefined, 'grpc-web', 'HTTP'],
  [undefined, 'grpc-web-ui', 'HTTP'],
  [undefined, 'grpc-website', 'GRPC'],
  [undefined, 'https', 'TLS'],
  [undefined, 'tls-api', 'TLS'],
  [undefined, 'tcp-db', 'TCP'],
  [undefined, 'redis', 'TCP'],
  [undefined, 'mysql', 'TCP'],
  [undefined, 'mongo-0', 'TCP'],
  [undefined, 'web', 'TCP'],
  [undefined, 'httpx', 'TCP'],
  [undefined, 'api-http', 'TCP'],
  [undefined, 'constructor', 'TCP'],
  [undefined, '', 'TCP'],
  ['http', 'web', 'HTTP'],
  ['HTTP2', '', 'HTTP2'],
  ['grpc', 'http', 'GRPC'],
  ['grpc-web', '', 'HTTP'],
  ['https', 'http', 'TLS'],
  ['tls', '', 'TLS'],
  ['tcp', 'http', 'TCP'],
  ['redis', 'http', 'TCP'],
  ['kubernetes.io/h2c', 'http', 'HTTP2'],
  ['kubernetes.io/ws', 'tcp', 'HTTP'],
  ['kubernetes.io/wss', 'http', 'TLS'],
  ['example.com/own', 'http-x', 'HTTP'],
  ['amqp', 'rabbit', 'TCP'],
  ['http-proxy', 'web', 'TCP'],
  ['', 'grpc', 'GRPC'],
];

for (const [appProtocol, name, expected] of CASES) {
  test(`appProtocol ${appProtocol ?? 'absent'} and name "${name}" declare ${expected}`, () => {
    assert.equal(portProtocol({ name, appProtocol }, 'TCP'), expected);
  });
}

test('a port that declares nothing has the protocol that the mesh gives to undeclared ports', () => {
  assert.equal(portProtocol({ name: 'web' }, 'HTTP'), 'HTTP');
  assert.equal(portProtocol({ name: 'tcp-web' }, 'HTTP'), 'TCP');
});

/** appProtocol, name, port number, protocol: https://github.com/istio/istio/blob/master/pkg/config/kube/conversion.go */
const ISTIO_CASES: readonly (readonly [string | undefined, string, number, PortProtocol])[] = [
  [undefined, 'http', 80, 'HTTP'],
  [undefined, 'HTTP-Admin', 80, 'HTTP'],
  [undefined, 'http2-api', 80, 'HTTP2'],
  [undefined, 'h2c', 80, 'Auto'],
  [undefined, 'grpc-api', 80, 'GRPC'],
  [undefined, 'grpc-web', 80, 'HTTP'],
  [undefined, 'https', 443, 'TLS'],
  [undefined, 'tls-api', 443, 'TLS'],
  [undefined, 'tcp-db', 80, 'TCP'],
  [undefined, 'web', 8080, 'Auto'],
  [undefined, '', 8080, 'Auto'],
  [undefined, 'db', 3306, 'TCP'],
  [undefined, '', 27017, 'TCP'],
  [undefined, 'http', 3306, 'HTTP'],
  ['http', 'tcp', 80, 'HTTP'],
  ['http-proxy', 'web', 80, 'HTTP'],
  ['amqp', 'http', 80, 'Auto'],
  ['', 'http', 80, 'Auto'],
  ['kubernetes.io/h2c', 'http', 80, 'HTTP2'],
  ['kubernetes.io/ws', 'tcp', 80, 'HTTP'],
  ['kubernetes.io/wss', 'http', 80, 'TLS'],
  ['example.com/own', 'http-x', 80, 'Auto'],
];

for (const [appProtocol, name, port, expected] of ISTIO_CASES) {
  test(`to istiod appProtocol ${appProtocol ?? 'absent'}, name "${name}" and port ${port} declare ${expected}`, () => {
    assert.equal(istioPortProtocol({ name, port, appProtocol }), expected);
  });
}
