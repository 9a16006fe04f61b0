/** The options that every client command has, with the meaning they have in kubectl and istioctl. */
import { type Command, InvalidArgumentError, Option } from 'commander';

export interface ClientOptions<Format extends string = string> {
  readonly server: string;
  /** Absent: all namespaces. There is no kubeconfig that could name a default one. */
  readonly namespace?: string;
  readonly output: Format;
  readonly color: boolean;
}

function parseServer(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text;
  throw new InvalidArgumentError('It must be a URL, for example http://127.0.0.1:15014.');
}

/** Adds them. The first format is the default. */
export function addClientOptions(command: Command, formats: readonly [string, ...string[]]): Command {
  return command
    .addOption(new Option('-o, --output <format>', 'how to print').choices(formats).default(formats[0]))
    .option('-n, --namespace <namespace>', 'only this namespace (default: all)')
    .addOption(new Option('-A, --all-namespaces', 'all namespaces, which is also the default').conflicts('namespace'))
    .addOption(
      new Option('--server <url>', 'the controller to ask')
        .default('http://127.0.0.1:15014')
        .env('LAZYSCOPE_SERVER')
        .argParser(parseServer),
    )
    .option('--no-color', 'no colours; NO_COLOR and pipes do the same');
}
