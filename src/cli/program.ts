import { Command, CommanderError } from 'commander'
import { FIELDS, type Field } from '../publish/fields.ts'
import { artifactPushCommand } from './artifact.ts'
import { attachCommand } from './attach.ts'
import { copyCommand } from './copy.ts'
import { copyTagsCommand } from './copy-tags.ts'
import { discoverCommand } from './discover.ts'
import { ARTIFACT, CONNECTION, PUSHING, flagsOf, repeatable, type Flags } from './flags.ts'
import { inspectCommand } from './inspect.ts'
import type { Io } from './io.ts'
import { publishCommand, type CliParts } from './publish.ts'
import { pullCommand } from './pull.ts'
import { sbomCommand } from './sbom.ts'
import { tagsCommand } from './tags.ts'

const EXAMPLES = `
Examples:
  Two platforms from files that are built already:
    oci-publish publish --images ghcr.io/team/app --tags v1 --platforms linux/amd64,linux/arm64 \\
      --base-image gcr.io/distroless/static --layers 'dist/{os}-{arch}/:/usr/local/bin/' --entrypoint /usr/local/bin/app

  What would be sent, and which tags would move:
    oci-publish plan --images ghcr.io/team/app:v1 --layers dist/:/app/

  An OCI layout instead of a registry:
    oci-publish publish --no-push --outputs type=oci,dest=out --layers dist/:/app/

  An image with all its platforms to another registry, and one of its platforms to a file:
    oci-publish copy ghcr.io/team/app:v1 registry.example.com/team/app
    oci-publish copy ghcr.io/team/app:v1 oci-archive:app.tar --platforms linux/arm64

  All tags of a repository, but for those of branches:
    oci-publish copy ghcr.io/team/app registry.example.com/team/app --all-tags --exclude 'branch-*'

  What a reference stands for, and the manifest of one platform as it is stored:
    oci-publish inspect ghcr.io/team/app:v1
    oci-publish inspect ghcr.io/team/app:v1 --platform linux/arm64 --raw

  Model weights as an artifact, each file as it is, and any other files:
    oci-publish artifact push ghcr.io/team/models/tiny:1 weights.safetensors config.json --type modelpack
    oci-publish artifact push ghcr.io/team/report:1 report.html:text/html charts/ --artifact-type application/vnd.example.report

  An SBOM attached to every platform of an image, everything that hangs on it, and the files of an artifact:
    oci-publish attach ghcr.io/team/app:v1 sbom.spdx.json --artifact-type application/spdx+json --platforms all
    oci-publish discover ghcr.io/team/app:v1
    oci-publish pull ghcr.io/team/models/tiny:1 --output DIR
`

const PLACES = 'host/repository[:tag][@digest], oci:DIR[:NAME] or oci-archive:FILE[:NAME]'

const STREAMS = `
Standard output has the published or copied references with digest, one a line, or the report with --json, or what was asked for;
all else is on standard error. Exit codes: 0 done, 1 it failed, 2 the request is wrong, 130 stopped.

Environment:
  OCI_PUBLISH_REGISTRY, OCI_PUBLISH_USERNAME, OCI_PUBLISH_PASSWORD   credentials for one registry
  OCI_PUBLISH_REGISTRY_AUTH   credentials of several, as the input registry-auth
  OCI_PUBLISH_CHART_SIGN_KEY, OCI_PUBLISH_CHART_SIGN_PASSPHRASE      PGP key for charts: a path, or the exported key itself
  GITHUB_TOKEN        for ghcr.io, where no other credentials are found
  DOCKER_CONFIG       folder of docker's config.json, whose logins and helpers are used
  SOURCE_DATE_EPOCH   as --source-date-epoch
  NO_COLOR, CI        no colours; plain lines instead of a live display
  OCI_PUBLISH_DEBUG   1 shows where in the program an error was thrown
`

/**
 * Runs one command line.
 *
 * @param argv without node and script
 * @returns the exit code: 0 done, 1 it failed, 2 the request is wrong, 130 stopped
 */
export async function runCli<D>(argv: readonly string[], io: Io, parts: CliParts<D>): Promise<number> {
  let exitCode = 0
  const program = base('oci-publish', io)
    .description('Assembles container images without a daemon and publishes them to OCI registries')
    .version(parts.version, '--version', 'print the version')
    .addHelpText('after', EXAMPLES + STREAMS)
    .showSuggestionAfterError()
  const add = (name: string, description: string, always: Flags): void => {
    const command = base(name, io)
      .description(description)
      .optionsGroup('What to publish:')
      .addHelpText('after', EXAMPLES + STREAMS)
      .action(async (flags: Flags) => {
        exitCode = await publishCommand({ ...flags, ...always }, io, parts)
      })
    for (const field of FIELDS as readonly Field[]) for (const option of flagsOf(field)) command.addOption(option)
    command
      .optionsGroup('How it is told:')
      .option('--json', 'print the report as one JSON object')
      .option('--quiet', 'say nothing but what failed')
      .option('--password-stdin', 'read the password from standard input')
    program.addCommand(command)
  }
  add('publish', 'Assemble an image and publish it', {})
  add('plan', 'Say what publish would send and which tags would move (publish --dry-run)', { dryRun: true })
  const copy = base('copy', io)
    .description('Copy an image, an index or an artifact with everything it points at, byte for byte')
    .argument('<from>', PLACES)
    .argument('<to>', 'the same; without a tag it takes that of <from>, with a digest alone it gets none')
    .option('--platforms <list>', 'only these: the index is rewritten, its digest changes')
    .option('--all-tags', 'everything in the repository <from>, each under its own tag; <to> is named without one')
    .option('--include <list>', 'with --all-tags, only tags that fit one of these, such as v1.*,*-alpine')
    .option('--exclude <list>', 'with --all-tags, no tags that fit one of these')
    .option('--dry-run', 'say what would be sent and which tags would move')
    .optionsGroup('How it is told:')
    .option('--json', 'print the report as one JSON object')
    .option('--quiet', 'say nothing but what failed')
    .optionsGroup('How registries are reached:')
    .action(async (from: string, to: string, flags: Flags) => {
      const command = flags['allTags'] === true ? copyTagsCommand : copyCommand
      exitCode = await command({ from, to }, flags, io, parts)
    })
  const inspect = base('inspect', io)
    .description('Show what a reference stands for')
    .argument('<reference>', PLACES)
    .option('--platform <platform>', 'only this one, such as linux/arm64')
    .optionsGroup('How it is told:')
    .option('--json', 'print one JSON object')
    .option('--raw', 'print the manifest exactly as it is stored')
    .option('--config', 'print the config of one platform exactly as it is stored')
    .optionsGroup('How registries are reached:')
    .action(async (reference: string, flags: Flags) => {
      exitCode = await inspectCommand(reference, flags, io, parts)
    })
  const tags = base('tags', io)
    .description('List the tags of a repository, one a line')
    .argument('<repository>', 'host/repository')
    .optionsGroup('How it is told:')
    .option('--json', 'print one JSON object')
    .optionsGroup('How registries are reached:')
    .action(async (repository: string, flags: Flags) => {
      exitCode = await tagsCommand(repository, flags, io, parts)
    })
  const attach = base('attach', io)
    .description('Attach files to what is there already: SBOMs, reports, signatures')
    .argument('<subject>', 'host/repository[:tag][@digest] or oci:DIR[:NAME]')
    .argument('[files...]', 'PATH[:MEDIA-TYPE], files or directories')
    .option('--artifact-type <type>', 'what it is; SBOMs are known by their names (*.spdx.json, *.cdx.json)')
    .addOption(repeatable('--platforms <list>', 'all, index, or platforms: what of an index is attached to'))
    .addOption(repeatable('--annotations <line>', 'KEY=VALUE of the manifest that is attached'))
    .optionsGroup('How it is told:')
    .option('--json', 'print the report as one JSON object')
    .option('--quiet', 'say nothing but what failed')
    .optionsGroup('How registries are reached:')
    .action(async (subject: string, files: readonly string[], flags: Flags) => {
      exitCode = await attachCommand({ subject, files }, flags, io, parts)
    })
  const discover = base('discover', io)
    .description('Show everything that hangs on a reference: SBOMs, attestations, signatures, and what hangs on those')
    .argument('<reference>', 'host/repository[:tag][@digest] or oci:DIR[:NAME]')
    .optionsGroup('How it is told:')
    .option('--json', 'print one JSON object')
    .optionsGroup('How registries are reached:')
    .action(async (reference: string, flags: Flags) => {
      exitCode = await discoverCommand(reference, flags, io, parts)
    })
  const pull = base('pull', io)
    .description('Write the files of an artifact into a folder, and nothing outside of it')
    .argument('<reference>', PLACES)
    .option('--output <directory>', 'folder that the files are written to', '.')
    .option('--overwrite', 'replace files that are there with other content')
    .option('--config <file>', 'write the config, too')
    .option('--platform <platform>', 'which of an index, such as linux/arm64')
    .optionsGroup('How it is told:')
    .option('--json', 'print the report as one JSON object')
    .option('--quiet', 'say nothing but what failed')
    .optionsGroup('How registries are reached:')
    .action(async (reference: string, flags: Flags) => {
      exitCode = await pullCommand(reference, flags, io, parts)
    })
  const sbom = base('sbom', io)
    .description('Tell what packages are in an image, as CycloneDX')
    .argument('<reference>', PLACES)
    .option('--platform <platform>', 'which of an index, such as linux/arm64')
    .option('--output <file>', 'write it to a file instead of standard output')
    .option('--attach', 'attach one to every platform, or to that of --platform, instead of printing it')
    .optionsGroup('How it is told:')
    .option('--quiet', 'say nothing but what failed')
    .optionsGroup('How registries are reached:')
    .action(async (reference: string, flags: Flags) => {
      exitCode = await sbomCommand(reference, flags, io, parts)
    })
  const push = base('push', io)
    .description('Publish files as an artifact')
    .argument('<to>', 'host/repository[:tag], oci:DIR[:NAME] or oci-archive:FILE[:NAME]')
    .argument('<files...>', 'PATH[:MEDIA-TYPE], files or directories')
    .option('--type <name>', 'kind whose readers want a form of their own: modelpack, wasm, flux, opentofu')
    .option('--artifact-type <type>', 'what it is, a media type')
    .option('--config <file>', 'its config, PATH[:MEDIA-TYPE]; by default an empty one')
    .addOption(repeatable('--annotations <line>', 'KEY=VALUE of the manifest'))
    .addOption(
      repeatable('--model <line>', 'KEY=VALUE of a model: name, family, version, format, paramSize, licenses, ...'),
    )
  for (const field of ARTIFACT) for (const option of flagsOf(field)) push.addOption(option)
  push
    .optionsGroup('How it is told:')
    .option('--json', 'print the report as one JSON object')
    .option('--quiet', 'say nothing but what failed')
    .optionsGroup('How registries are reached:')
    .action(async (to: string, files: readonly string[], flags: Flags) => {
      exitCode = await artifactPushCommand({ to, files }, flags, io, parts)
    })
  for (const field of [...PUSHING, ...CONNECTION]) for (const option of flagsOf(field)) push.addOption(option)
  const artifact = base('artifact', io).description('Artifacts that are no images: models, WebAssembly, any files')
  program.addCommand(artifact.addCommand(push.option('--password-stdin', 'read the password from standard input')))
  for (const field of PUSHING) for (const option of flagsOf(field)) copy.addOption(option)
  for (const command of [copy, inspect, tags, attach, discover, pull, sbom]) {
    for (const field of CONNECTION) for (const option of flagsOf(field)) command.addOption(option)
    program.addCommand(command.option('--password-stdin', 'read the password from standard input'))
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
}

function base(name: string, io: Io): Command {
  return new Command(name)
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({
      writeOut: text => io.stdout.write(text),
      writeErr: text => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 120,
      getErrHelpWidth: () => io.stderr.columns ?? 120,
      // Nobody's password should be printed because its flag was misspelt.
      outputError: (text, write) => {
        write(text.replace(/^(error: unknown option '[^'=]+)=.*?'(?=$|\n)/s, "$1'"))
      },
    })
}
