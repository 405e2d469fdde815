import type { EcrApi, EcrToken, RepositorySettings } from '../../src/cloud/ecr-api.ts'
import { parseEcrHost, type EcrHost } from '../../src/cloud/ecr-host.ts'

/** An API of ECR that remembers what it was asked; `answers` say what is not to go well. */
export interface FakeEcr extends EcrApi {
  readonly asked: string[]
}

export function awsError(name: string, message: string): Error {
  return Object.assign(new Error(message), { name })
}

export function tokenFor(password: string, expiresAt: number): EcrToken {
  return { authorization: Buffer.from(`AWS:${password}`).toString('base64'), expiresAt }
}

export function fakeEcr(answers: Partial<EcrApi> = {}): FakeEcr {
  const asked: string[] = []
  const answered = (what: string): Promise<void> => {
    asked.push(what)
    return Promise.resolve()
  }
  return {
    asked,
    async token(io) {
      await answered('token')
      return answers.token?.(io) ?? tokenFor('secret', Infinity)
    },
    async hasRepository(name, io) {
      await answered(`has ${name}`)
      return answers.hasRepository?.(name, io) ?? false
    },
    async createRepository(name, settings, io) {
      await answered(
        `create ${name} ${settings.tagMutability}${settings.scanOnPush ? ' scanned' : ''}${encrypted(settings)}`,
      )
      return answers.createRepository?.(name, settings, io) ?? true
    },
    async setLifecyclePolicy(name, policy, io) {
      await answered(`lifecycle ${name} ${policy}`)
      await answers.setLifecyclePolicy?.(name, policy, io)
    },
    async setRepositoryPolicy(name, policy, io) {
      await answered(`policy ${name} ${policy}`)
      await answers.setRepositoryPolicy?.(name, policy, io)
    },
  }
}

function encrypted({ encryption }: RepositorySettings): string {
  return encryption ? ` ${encryption.type}` : ''
}

export function ecrAt(host: string): EcrHost {
  const ecr = parseEcrHost(host)
  if (!ecr) throw new Error(`${host} is no host of ECR`)
  return ecr
}
