import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import { EchoService } from './echo-service.ts';
import { Inbox } from './inbox.ts';

/** How a call ended, as the application sees it. */
export interface CallEnd {
  readonly code: number;
  readonly details: string;
  readonly trailers: Readonly<Record<string, unknown>>;
}

export interface UnaryAnswer extends CallEnd {
  readonly message: string;
}

interface Chat {
  readonly call: ClientDuplexStream<Buffer, Buffer>;
  readonly messages: Inbox<string>;
  readonly ended: Promise<CallEnd>;
}

const clients = new Map<string, Client>();
const chats = new Map<string, Chat>();
const { Unary, Chat: ChatMethod } = EchoService;

/** Opens a channel under a name of the test's. */
export function openChannel(name: string, address: string, authority: string): void {
  clients.set(name, new Client(address, credentials.createInsecure(), { 'grpc.default_authority': authority }));
}

function clientOf(channel: string): Client {
  const client = clients.get(channel);
  if (!client) throw new Error(`there is no channel ${channel}`);
  return client;
}

function metadata(testCase: string): Metadata {
  const sent = new Metadata();
  sent.set('x-case', testCase);
  return sent;
}

function endOf({ code, details, metadata: trailers }: StatusObject | ServiceError): CallEnd {
  return { code, details, trailers: trailers.getMap() };
}

export async function unary(channel: string, message: string, testCase: string): Promise<UnaryAnswer> {
  const request = Buffer.from(message);
  return new Promise((resolve) => {
    let answer = '';
    const { path, requestSerialize, responseDeserialize } = Unary;
    const call = clientOf(channel).makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata(testCase),
      (_error, value) => {
        answer = value?.toString() ?? '';
      },
    );
    call.on('status', (end: StatusObject) => setImmediate(() => resolve({ ...endOf(end), message: answer })));
  });
}

/** Opens a stream in both directions. */
export function openChat(name: string, channel: string, testCase: string): void {
  const { path, requestSerialize, responseDeserialize } = ChatMethod;
  const call = clientOf(channel).makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata(testCase));
  const messages = new Inbox<string>();
  call.on('data', (message: Buffer) => messages.put(message.toString()));
  call.on('error', (error) => messages.fail(error));
  const ended = new Promise<CallEnd>((resolve) => call.on('status', (end: StatusObject) => resolve(endOf(end))));
  chats.set(name, { call, messages, ended });
}

function chatOf(name: string): Chat {
  const chat = chats.get(name);
  if (!chat) throw new Error(`there is no chat ${name}`);
  return chat;
}

/** Says something and returns the next message that arrives. */
export async function say(name: string, message: string): Promise<string> {
  const { call, messages } = chatOf(name);
  call.write(Buffer.from(message));
  return messages.take();
}

export async function endChat(name: string): Promise<CallEnd> {
  const { call, ended } = chatOf(name);
  call.end();
  return ended;
}
