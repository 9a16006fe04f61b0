/** A run of its own with a bed, a pod and a program in it, until a signal ends it. Tells its parent what it has. */
import { Bed } from '../bed/bed.ts';
import { loadApp } from './load-app.ts';

const bed = await Bed.create();
const app = await loadApp(bed.pod('pod-0'), 'raw-client');
process.send?.({ number: bed.network.number, pid: app.process.pid });
