import { Command, Option } from 'commander'
import type { Field } from '../../publish/fields.ts'
import { flagsOf, repeatable, type Flags } from '../flags.ts'
import type { Io } from '../io.ts'
import type { Declaration, Family, Flag } from './declaration.ts'

/** Told which command was asked for, and with what. */
export type OnAsked = (run: Declaration['run'], words: readonly string[], flags: Flags) => Promise<void>

/** A declaration as commander parses it. */
export function commandOf(declared: Declaration | Family, io: Io, onAsked: OnAsked): Command {
  const { name, description } = declared
  const command = plainCommand(name, io).description(description)
  if ('commands' in declared) {
    for (const one of declared.commands) command.addCommand(commandOf(one, io, onAsked))
    return command
  }
  const { words = [], sections, after } = declared
  for (const [word, said] of words) command.argument(word, said)
  for (const { heading, options } of sections) {
    if (heading !== undefined) command.optionsGroup(heading)
    for (const option of options.flatMap(optionsOf)) command.addOption(option)
  }
  if (after !== undefined) command.addHelpText('after', after)
  return command.action(() => onAsked((...asked) => declared.run(...asked), command.args, command.opts<Flags>()))
}

/** A command without anything, whose words go to `io` and whose end is an exception instead of an exit. */
export function plainCommand(name: string, io: Io): Command {
  return new Command(name)
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({
      writeOut: text => {
        io.stdout.text(text)
      },
      writeErr: text => {
        io.stderr.say(text.replace(/\n$/, '').split('\n'))
      },
      getOutHelpWidth: () => io.stdout.columns ?? 120,
      getErrHelpWidth: () => io.stderr.columns ?? 120,
      // Nobody's password should be printed because its flag was misspelt.
      outputError: (text, write) => {
        write(text.replace(/^(error: unknown option '[^'=]+)=.*?'(?=$|\n)/s, "$1'"))
      },
    })
}

function optionsOf(declared: Flag | Field): readonly Option[] {
  if ('kind' in declared) return flagsOf(declared)
  const { flag, said, byDefault } = declared
  return [declared.repeatable === true ? repeatable(flag, said) : new Option(flag, said).default(byDefault)]
}
