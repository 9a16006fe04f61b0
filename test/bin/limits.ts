/** Every limit on what others can make our two programs hold: what happens beyond it, and which metric and test tell of it. */

export interface Limit {
  /** What is limited. */
  readonly of: string;
  /** Default, and the flag where it can be set. */
  readonly value: string;
  /** What happens beyond it. */
  readonly effect: string;
  /** Series of `/metrics`, with its labels where it has any before the limit is reached. */
  readonly metric: string;
  /** File under `test/`, and in it the name of the test that reaches the limit. */
  readonly test: readonly [file: string, name: string];
}

const refused = (reason: string): string => `lazyscope_egress_refused_total{reason="${reason}"}`;
const reached = (limit: string): string => `lazyscope_egress_limits_reached_total{limit="${limit}"}`;
const learned = (limit: string): string => `lazyscope_limits_reached_total{limit="${limit}"}`;

const OBSERVER_GIVES_UP = 'passes unread from there on; nothing more is learned from it';
const GIVEN_UP = 'lazyscope_egress_observers_given_up_total';

/** Of `lazyscope egress`. */
export const EGRESS_LIMITS: readonly Limit[] = [
  {
    of: 'connections',
    value: '50,000 (--max-connections)',
    effect: 'refused',
    metric: refused('MaxConnections'),
    test: ['egress/door.test.ts', 'over a limit a connection is refused; one that ends makes room'],
  },
  {
    of: 'connections of one source',
    value: '5,000 (--max-connections-per-source)',
    effect: 'refused',
    metric: refused('MaxConnectionsPerSource'),
    test: ['egress/limits.test.ts', 'each limit is reached by itself'],
  },
  {
    of: 'connections of one source that have no upstream yet',
    value: '500 (--max-half-open-per-source)',
    effect: 'refused',
    metric: refused('MaxHalfOpenPerSource'),
    test: ['egress/limits.test.ts', 'each limit is reached by itself'],
  },
  {
    of: 'time for the PROXY header',
    value: '2 s',
    effect: 'refused',
    metric: refused('HeaderTimeout'),
    test: ['egress/door.test.ts', 'a header that does not come is not waited for'],
  },
  {
    of: 'a PROXY header',
    value: '4 KiB and 16 bytes',
    effect: 'refused',
    metric: refused('BrokenHeader'),
    test: [
      'egress/proxy-protocol.test.ts',
      'arbitrary bytes never throw and never wait for more than the longest header',
    ],
  },
  {
    of: 'bytes that wait in one direction of a connection',
    value: '64 KiB (--buffer-bytes)',
    effect: 'the other side is read no further until they are gone',
    metric: reached('BufferBytes'),
    test: ['egress/hop.test.ts', 'a slow server slows the client down, and nothing is lost'],
  },
  {
    of: 'endpoints that are tried for one connection',
    value: '3, 5 s each',
    effect: 'reset, as if its destination had refused it',
    metric: 'lazyscope_egress_dials_total',
    test: ['egress/dial.test.ts', 'three endpoints are tried, and no more'],
  },
  {
    of: 'an HTTP/1 head, or the first bytes of a connection',
    value: '64 KiB',
    effect: OBSERVER_GIVES_UP,
    metric: GIVEN_UP,
    test: [
      'egress/http1-observer.test.ts',
      'a head of just 64 KiB is understood wherever it is split, one of a byte more nowhere',
    ],
  },
  {
    of: 'HTTP/1 requests that wait for their answer on one connection',
    value: '1,000',
    effect: OBSERVER_GIVES_UP,
    metric: GIVEN_UP,
    test: [
      'egress/http1-observer.test.ts',
      'gives up where more than 1,000 requests wait for their answer, and not before',
    ],
  },
  {
    of: 'an HTTP/2 header list',
    value: '64 KiB',
    effect: OBSERVER_GIVES_UP,
    metric: GIVEN_UP,
    test: ['egress/http2/hpack.test.ts', 'a list of just 64 KiB is decoded'],
  },
  {
    of: 'keys (service, protocol, host) that one connection reports',
    value: '64',
    effect: 'the oldest is told to have ended',
    metric: reached('KeysPerConnection'),
    test: [
      'egress/connection-report.test.ts',
      'a connection carries its newest 64 keys; what it carries no more is told, and counted',
    ],
  },
  {
    of: 'keys that wait to be reported, or are in use',
    value: '100,000',
    effect: 'the oldest is dropped; its next connection reports it again',
    metric: reached('ReportKeys'),
    test: ['egress/report.test.ts', 'beyond its bound the oldest key is dropped and counted'],
  },
  {
    of: 'failed dials that wait to be reported',
    value: '1,000',
    effect: 'further ones are not reported',
    metric: reached('FailedDials'),
    test: ['egress/report.test.ts', 'only so many failed dials wait; the others are counted, and displace nothing'],
  },
  {
    of: 'sources of refused connections, told every 5 s',
    value: '10,000',
    effect: 'refusals of further ones are not told to the controller',
    metric: reached('RefusedSources'),
    test: ['egress/refusal-tally.test.ts', 'tells 10,000 sources apart at a time; refusals of others are counted'],
  },
  {
    of: 'connections to health and metrics',
    value: '1,000',
    effect: 'closed unanswered, and those that are not in use',
    metric: reached('HealthConnections'),
    test: ['egress/health.test.ts', 'serves so many connections at a time; those beyond are closed and counted'],
  },
];

/** Of `lazyscope controller`. */
export const CONTROLLER_LIMITS: readonly Limit[] = [
  {
    of: 'access log entries whose source is not known yet',
    value: '10,000',
    effect: 'the oldest is dropped',
    metric: learned('WaitingEntries'),
    test: ['controller/learning.test.ts', 'entries of unknown sources: the oldest are dropped and counted'],
  },
  {
    of: 'time that such an entry waits',
    value: '30 s',
    effect: 'dropped',
    metric: 'lazyscope_access_log_entries_total{result="dropped"}',
    test: ['controller/pipeline.test.ts', 'is counted, named and dropped after 30 s'],
  },
  {
    of: 'addresses without a service that are kept of one workload',
    value: '1,000',
    effect: 'further ones are not recorded',
    metric: learned('RelayedAddresses'),
    test: ['controller/learning.test.ts', 'addresses of one workload: further ones are dropped, counted and named'],
  },
  {
    of: 'addresses without a service that are kept of all workloads',
    value: '250,000',
    effect: 'further ones are not recorded; services are learned all the same',
    metric: learned('RelayedAddresses'),
    test: [
      'controller/learning.test.ts',
      'addresses in all: further ones are dropped, counted and named; services are learned all the same',
    ],
  },
  {
    of: 'dependencies in all',
    value: '500,000',
    effect: 'further ones are not learned, and stay on the egress',
    metric: learned('Dependencies'),
    test: ['controller/learning.test.ts', 'dependencies: further ones are dropped, counted and named'],
  },
  {
    of: 'dependencies, where sidecars say what they hold',
    value: '500,000',
    effect: 'further ones are not taken',
    metric: learned('SeededDependencies'),
    test: ['controller/seeds.test.ts', 'what a full graph has no room for is counted and named'],
  },
  {
    of: 'HTTP ports that sidecars say they listen on',
    value: '1,000, with those of services',
    effect: 'further ones are not kept',
    metric: learned('HttpPorts'),
    test: ['controller/pipeline.test.ts', 'does not keep any number of ports that a sidecar claims to listen on'],
  },
  {
    of: 'problems that are logged',
    value: '100 new ones a minute',
    effect: 'further ones are counted; the API names the newest 100 of all',
    metric: learned('ProblemsLogged'),
    test: [
      'controller/core/reporting/problem-log.test.ts',
      'tells a hundred new ones a minute, and then how many more there were',
    ],
  },
  {
    of: 'gRPC connections, of sidecars and egresses together',
    value: '25,000; 60 s without a stream',
    effect: 'closed; the client tries again',
    metric: learned('GrpcConnections'),
    test: [
      'controller/wire/grpc-server.test.ts',
      'takes so many connections at a time; further ones are closed and counted, until one has gone',
    ],
  },
  {
    of: 'access log streams',
    value: '1,000',
    effect: 'refused; the egress tries again',
    metric: 'lazyscope_access_log_streams_refused_total',
    test: [
      'controller/als/service.test.ts',
      'so many are heard at a time; further ones are refused, counted and named, until one ends',
    ],
  },
  {
    of: 'an access log message',
    value: '4 MiB',
    effect: 'skipped',
    metric: 'lazyscope_access_log_messages_total{result="oversized"}',
    test: ['controller/als/service.test.ts', 'larger than is read is counted and named, and its stream goes on'],
  },
  {
    of: 'any gRPC message',
    value: '32 MiB',
    effect: 'its stream is ended',
    metric: 'lazyscope_access_log_streams_broken_total',
    test: [
      'controller/als/service.test.ts',
      'larger than gRPC takes breaks its stream, counted and named; others go on',
    ],
  },
  {
    of: 'xDS streams',
    value: '20,000',
    effect: 'refused; the client tries again',
    metric: 'lazyscope_xds_refused_total',
    test: ['controller/xds/stream-limit.test.ts', 'so many streams are served at a time; one that ends makes room'],
  },
  {
    of: 'time until an xDS client says who it is',
    value: '10 s',
    effect: 'its stream is ended',
    metric: 'lazyscope_xds_refused_total',
    test: [
      'controller/xds/stream-limit.test.ts',
      'a stream on which nothing comes is ended, one that has said who it is stays open',
    ],
  },
  {
    of: 'names that an xDS client subscribes to, of one type',
    value: '100,000, of 512 characters',
    effect: 'its stream is ended',
    metric: 'lazyscope_xds_refused_total',
    test: ['controller/xds/hostile-client.test.ts', 'with more names than any mesh has, in one request'],
  },
  {
    of: 'xDS responses of one type on the way to one client',
    value: '1',
    effect: 'later changes wait, and become one',
    metric: 'lazyscope_xds_clients',
    test: ['controller/xds/server.test.ts', 'a client that does not read costs one response and delays no other'],
  },
  {
    of: 'connections to API, health and metrics',
    value: '1,000',
    effect: 'closed unanswered, and those that are not in use',
    metric: learned('HttpConnections'),
    test: [
      'controller/http/server.test.ts',
      'serves so many connections at a time; those beyond are closed and counted',
    ],
  },
  {
    of: 'the body of an API request',
    value: '64 KiB',
    effect: 'answered with 413',
    metric: learned('HttpBodyBytes'),
    test: ['controller/http/server.test.ts', 'a body that is too large is refused and counted'],
  },
];
