/** Lets fastify validate with zod and type handlers by their schemas. */
import type { FastifyInstance, FastifyTypeProvider } from 'fastify';
import * as z from 'zod';

/** Requests have the schema's output type. Answers are typed by `core/answer.ts`, which the schemas mirror. */
export interface ZodTypeProvider extends FastifyTypeProvider {
  readonly validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown;
}

function sentence({ path, ...issue }: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `${issue.keys.map((key) => `"${key}"`).join(', ')} is not known`;
  return path.length > 0 ? `"${path.join('.')}" ${issue.message}` : issue.message;
}

/** Every parameter that is wrong, by name. */
function describe(error: z.ZodError): string {
  return error.issues.map(sentence).join('; ');
}

/**
 * Installs both compilers. Answers are sent exactly as the read model gives them: a serializer that follows the schema
 * would hide a difference between the two instead of letting a test show it.
 */
export function useZod(app: FastifyInstance): void {
  app.setValidatorCompiler(({ schema, httpPart }) => {
    if (!(schema instanceof z.ZodType)) throw new TypeError(`The ${httpPart} schema of a route is not a zod schema.`);
    return (data: unknown) => {
      const result = schema.safeParse(data);
      return result.success ? { value: result.data } : { error: new Error(describe(result.error)) };
    };
  });
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
}
