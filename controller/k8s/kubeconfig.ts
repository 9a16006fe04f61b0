/** Where the API server is and who we are there. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { User } from '@kubernetes/client-node';
import { property, textProperty } from './object-metadata.ts';
import { type ClusterConfig, ServiceAccountConfig } from './service-account.ts';

/**
 * Reads a kubeconfig file as `@kubernetes/client-node` does, or without one what every pod is given of its ServiceAccount.
 * The library is loaded for a file alone: it takes a third of a second and tens of megabytes, which pods need not spend.
 * @throws Error where a file cannot be read
 */
export async function loadKubeconfig(file: string | undefined): Promise<ClusterConfig> {
  if (file === undefined) return new ServiceAccountConfig();
  const { KubeConfig, loadYaml } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromFile(file);
  config.users = withTokenFiles(config.users, loadYaml(readFileSync(file, 'utf8')), dirname(file));
  return config;
}

/**
 * The library (2.0.1) looks for `token-file`, where kubeconfig files have `tokenFile`, and would silently be nobody. It
 * does know such files, from pods: it reads them once a minute.
 * https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/#AuthInfo
 */
function withTokenFiles(users: readonly User[], written: unknown, folder: string): User[] {
  const entries = property(written, 'users');
  return users.map((user) => {
    const entry = Array.isArray(entries) ? entries.find((one) => textProperty(one, 'name') === user.name) : undefined;
    const tokenFile = textProperty(property(entry, 'user'), 'tokenFile');
    if (tokenFile === '') return user;
    const { token: _, ...others } = user;
    return { ...others, authProvider: { name: 'tokenFile', config: { tokenFile: resolve(folder, tokenFile) } } };
  });
}
