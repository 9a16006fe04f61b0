/** The few fields of any Kubernetes object that reading and watching depend on. */

export interface ObjectMetadata {
  readonly name: string;
  /** Empty for objects of the cluster. */
  readonly namespace: string;
  readonly resourceVersion: string;
  /** Of a list: where its next page begins; empty on the last one. */
  readonly continue: string;
}

/** A property of a value that may be anything. */
export function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** Its text; empty where there is none. */
export function textProperty(value: unknown, name: string): string {
  const text = property(value, name);
  return typeof text === 'string' ? text : '';
}

/** `metadata` of an object or list; fields that it lacks are empty. */
export function metadataOf(value: unknown): ObjectMetadata {
  const metadata = property(value, 'metadata');
  return {
    name: textProperty(metadata, 'name'),
    namespace: textProperty(metadata, 'namespace'),
    resourceVersion: textProperty(metadata, 'resourceVersion'),
    continue: textProperty(metadata, 'continue'),
  };
}
