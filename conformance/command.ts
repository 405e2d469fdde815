import { UsageError } from './arguments.ts'
import { listCommand } from './list-command.ts'
import { runCommand } from './run-command.ts'
import { serveCommand } from './serve-command.ts'
import { soakCommand } from './soak-command.ts'

const USAGE = `Usage: node conformance/cli.js COMMAND [options]

  run     run the cases with a client, print a table; exit code 1 when one fails
            --client NAME|FILE   ours (in this process), oci-publish (dist/), crane, regctl, oras, skopeo, or an adapter;
                                 default ours
            --personality NAME   only with this registry; may be repeated
            --case TEXT          only cases with this in their name; may be repeated
            --seed N             of contents and of chance; default 1
            --slow               those too in which clients wait for a long time
            --jobs N             cases at a time; default 2
            --limit SECONDS      after which a client is stopped; default 30
            --json               every verdict as JSON, instead of the table
            --verbose            what the client wrote, where it failed
  soak    random faults, time after time; exit code 1 when a run ends in anything but a right publication or an error
            --runs N             default 1000
            --seed N             default: another one every time; it is printed
            --client NAME|FILE   default ours
            --json
  serve   a registry to try a client on by hand, until it is stopped
            --port N             default 5000; 0: a free one, which is printed
            --personality NAME   default spec
            --fault WORDS        may be repeated, see below
            --seed N             of faults by chance
            --open               ask for no password; otherwise it is robot, secret
  list    the personalities and the cases

Faults are told in words: WHAT [on [METHOD] TEXT] [nth N] [times N|ever] [chance P]
  WHAT    a status (503, with "retry-after S"), cut-request N, cut-answer N, lost-answer, reset, hang, slow MS,
          truncate N, damage, digest-header DIGEST, location relative|absolute|elsewhere|private|none, redirect,
          expire-tokens, forget-uploads, lag READS, move-tag TAG
  For example: --fault "503 retry-after 1 on PUT /blobs/uploads/ nth 2" --fault "cut-request 5000 on PATCH chance 0.2"
`

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  run: runCommand,
  soak: soakCommand,
  serve: serveCommand,
  list: listCommand,
}

/** @returns the exit code: 0 all is well, 1 a case failed, 2 the command is wrong */
export async function main([name = 'help', ...args]: readonly string[]): Promise<number> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command) {
    process.stdout.write(USAGE)
    return ['help', '--help', '-h'].includes(name) ? 0 : 2
  }
  try {
    return await command(args)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${error.message}\n\n${USAGE}`)
    return 2
  }
}
