/** The OpenAPI 3.1 document, made from the schemas that routes validate with. */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifySchema } from 'fastify';
import * as z from 'zod';
import { API_VERSION } from '../core/answer.ts';

type JsonObject = Readonly<Record<string, unknown>>;

const uri = (id: string): string => `#/components/schemas/${id}`;

/** `format: date-time` says it; the regular expression beside it is 300 characters long. */
function withoutPattern({ jsonSchema }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
}

/** Every schema that has an id, by id. `$schema` and `$id` stand once in the document, not in each part. */
function components(): Record<string, JsonObject> {
  const { schemas } = z.toJSONSchema(z.globalRegistry, { uri, override: withoutPattern });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema: _schema, $id: _id, ...schema }]) => [id, schema]),
  );
}

/** A schema of parameters or of a body as clients send it, before transformation. */
function asSent(schema: unknown): JsonObject | undefined {
  if (!(schema instanceof z.ZodType)) return undefined;
  const { $schema: _schema, ...json } = z.toJSONSchema(schema, { io: 'input' });
  return json;
}

function response(schema: unknown): unknown {
  const meta = schema instanceof z.ZodType ? schema.meta() : undefined;
  if (meta?.id === undefined) return schema;
  return {
    description: meta.description ?? meta.id,
    content: { 'application/json': { schema: { $ref: uri(meta.id) } } },
  };
}

function responses(schema: unknown): JsonObject | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined;
  return Object.fromEntries(Object.entries(schema).map(([status, part]) => [status, response(part)]));
}

function toJsonSchema(schema: FastifySchema | undefined): FastifySchema {
  const { params, querystring, body, response: answers, ...rest } = schema ?? {};
  return {
    ...rest,
    ...(body ? { body: asSent(body) } : {}),
    params: asSent(params),
    querystring: asSent(querystring),
    response: responses(answers),
  };
}

/** Options of `@fastify/swagger`. */
export function openApiOptions(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Lazyscope controller',
        version,
        description: `Who depends on whom, and what each Envoy holds. Answers are ${API_VERSION}.`,
      },
    },
    convertConstToEnum: false,
    transform: ({ schema, url }) => ({ schema: toJsonSchema(schema), url }),
    transformObject: (document) =>
      'openapiObject' in document ? { ...document.openapiObject, components: { schemas: components() } } : {},
  };
}
