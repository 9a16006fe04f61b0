import type { EndpointSlice } from '../model.ts';
import { ObjectTable } from './object-table.ts';

/** A Service's slices: nearly always one, which then needs no list. */
type SlicesOfService = EndpointSlice | readonly EndpointSlice[];

/** EndpointSlices by name and by Service. */
export class SliceIndex {
  readonly #slices = new ObjectTable<EndpointSlice>((slice) => slice);
  readonly #byService = new ObjectTable<SlicesOfService>(serviceOf);

  /** A Service's, in the order in which they came. */
  of(namespace: string, service: string): readonly EndpointSlice[] {
    const slices = this.#byService.get(namespace, service) ?? [];
    return isList(slices) ? slices : [slices];
  }

  /** @returns the names of the Services whose slices differ now: two where the slice moved */
  apply(slice: EndpointSlice): readonly string[] {
    const { namespace, name, service } = slice;
    const before = this.#slices.get(namespace, name);
    if (before && before.service !== service) this.delete(namespace, name);
    const slices = this.of(namespace, service);
    const isKnown = before?.service === service;
    const after = isKnown ? slices.map((other) => (other === before ? slice : other)) : slices.concat(slice);
    this.#byService.apply(after.length === 1 ? slice : after);
    this.#slices.apply(slice);
    return !before || isKnown ? [service] : [before.service, service];
  }

  /** @returns the name of the Service whose slice it was */
  delete(namespace: string, name: string): string | undefined {
    const slice = this.#slices.delete(namespace, name);
    if (!slice) return undefined;
    const { service } = slice;
    const left = this.of(namespace, service).filter((other) => other !== slice);
    const [only] = left;
    if (only === undefined) this.#byService.delete(namespace, service);
    else this.#byService.apply(left.length === 1 ? only : left);
    return service;
  }
}

function isList(slices: SlicesOfService): slices is readonly EndpointSlice[] {
  return Array.isArray(slices);
}

function serviceOf(slices: SlicesOfService): { readonly namespace: string; readonly name: string } {
  const { namespace, service } = isList(slices) ? (slices[0] as EndpointSlice) : slices;
  return { namespace, name: service };
}
