import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LISTENER, type PortProtocol } from '../../../../controller/core/model.ts';
import { service } from '../../../support/mesh-objects.ts';
import { countingBuilder, lazy, meshView } from './mesh-view.ts';

const web = service('web', { 80: 'HTTP' }, { clusterIP: '10.96.0.1' });
const endpoints = [{ address: '10.0.0.7', port: 80, ready: false }];

function listeners(protocol: PortProtocol, clusterIP?: string): string[] {
  const other = service('peers', { 80: protocol }, clusterIP === undefined ? {} : { clusterIP });
  const { builder } = countingBuilder();
  return [...builder.sidecar(meshView([web, other], endpoints), lazy([]), 'shop')[LISTENER].keys()];
}

describe('a headless service whose pods stand on an HTTP port', () => {
  it('has a listener for each pod over TCP, since 0.0.0.0_80 would wait for the client to speak first', () => {
    assert.deepEqual(listeners('TCP').sort(), ['0.0.0.0_80', '10.0.0.7_80']);
  });

  it('has none over HTTP, nor has one with a ClusterIP', () => {
    assert.deepEqual(listeners('HTTP'), ['0.0.0.0_80']);
    assert.deepEqual(listeners('TCP', '10.96.0.2').sort(), ['0.0.0.0_80', '10.96.0.2_80']);
  });
});
