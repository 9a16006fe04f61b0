/**
 * Proto3 JSON forms for the well-known types that Envoy's configuration uses, so that our resources read like
 * Envoy's own YAML: `connect_timeout: '5s'`, `max_connections: 1024`, an Any with `@type`.
 * https://protobuf.dev/programming-guides/json/
 */
import { type Field, type Root, Type } from 'protobufjs';

type Plain = Record<string, unknown>;
type Convert = (value: unknown) => unknown;

const WRAPPERS = new Set(
  ['BoolValue', 'UInt32Value', 'UInt64Value', 'DoubleValue', 'StringValue'].map((name) => `.google.protobuf.${name}`),
);

function duration(text: string): Plain {
  const match = /^(-?)(\d+)(?:\.(\d{1,9}))?s$/.exec(text);
  if (!match) throw new TypeError(`"${text}" is no duration: write seconds with an "s", for example "1.5s"`);
  const sign = match[1] === '-' ? -1 : 1;
  return { seconds: sign * Number(match[2]), nanos: sign * Number((match[3] ?? '').padEnd(9, '0')) };
}

function structValue(value: unknown): Plain {
  if (value === null) return { nullValue: 0 };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { numberValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (Array.isArray(value)) return { listValue: { values: value.map(structValue) } };
  return { structValue: struct(value as Plain) };
}

/** Keys are sorted: versions are hashes of bytes, so equal content must encode equally. */
function struct(object: Plain): Plain {
  return { fields: sortedEntries(object, structValue) };
}

function sortedEntries(object: Plain, convert: Convert): Plain {
  const sorted: Plain = {};
  for (const key of Object.keys(object).sort()) sorted[key] = convert(object[key]);
  return sorted;
}

function any(root: Root, object: Plain): Plain {
  const { '@type': typeUrl, ...message } = object;
  if (typeof typeUrl !== 'string') return object;
  const type = root.lookupType(typeUrl.slice(typeUrl.lastIndexOf('/') + 1));
  return { type_url: typeUrl, value: type.encode(type.fromObject(fromJsonForm(type, message))).finish() };
}

/** What a type's values go through; kept, as protobufjs composes a type's full name each time that it is asked for. */
const converters = new WeakMap<Type, Convert>();

function messageValue(type: Type, value: unknown): unknown {
  const convert = converters.get(type) ?? converterOf(type);
  converters.set(type, convert);
  return convert(value);
}

function converterOf(type: Type): Convert {
  const { fullName } = type;
  if (fullName === '.google.protobuf.Duration') {
    return (value) => (typeof value === 'string' ? duration(value) : value);
  }
  if (fullName === '.google.protobuf.Struct') return (value) => struct(value as Plain);
  if (fullName === '.google.protobuf.Any') return (value) => any(type.root, value as Plain);
  if (WRAPPERS.has(fullName)) return (value) => (typeof value === 'object' ? value : { value });
  return (value) => fromJsonForm(type, value as Plain);
}

function fieldValue(field: Field, value: unknown): unknown {
  const type = field.resolve().resolvedType;
  if (!(type instanceof Type)) return field.map ? sortedEntries(value as Plain, (item) => item) : value;
  if (field.map) return sortedEntries(value as Plain, (item) => messageValue(type, item));
  return field.repeated ? (value as unknown[]).map((item) => messageValue(type, item)) : messageValue(type, value);
}

/**
 * The object that protobufjs encodes, from one in proto3 JSON form with the `.proto` files' field names.
 * Map fields come out in key order, so equal content encodes to equal bytes.
 * @throws TypeError naming a field that the message does not have, or a bad duration
 */
export function fromJsonForm(type: Type, object: Plain): Plain {
  const converted: Plain = {};
  for (const [name, value] of Object.entries(object)) {
    const field = type.fields[name];
    if (!field) throw new TypeError(`${type.fullName.slice(1)} has no field "${name}"`);
    if (value !== undefined) converted[name] = fieldValue(field, value);
  }
  return converted;
}

/** Plain value of a decoded `google.protobuf.Struct`. */
export function structToPlain(message: unknown): Plain {
  const fields = (message as { fields?: Record<string, Plain> } | null)?.fields ?? {};
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, valueToPlain(value)]));
}

function valueToPlain(value: Plain): unknown {
  const kind = value['kind'];
  if (kind === 'structValue') return structToPlain(value['structValue']);
  if (kind === 'listValue') {
    return ((value['listValue'] as { values?: Plain[] } | null)?.values ?? []).map(valueToPlain);
  }
  return kind === 'stringValue' || kind === 'numberValue' || kind === 'boolValue' ? value[kind] : null;
}
