import { GetPublicKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms'
import { OciPublishError } from '../../errors.ts'
import type { KmsApi } from '../kms-api.ts'
import type { AwsKmsKey } from '../kms-uri.ts'
import { sendOptions } from './call.ts'
import { identityOf } from './identity.ts'
import type { AwsOptions } from './options.ts'
import { awsRequestHandler } from './request-handler.ts'

/** The API of a key, in its region. @see "AWS Key Management Service API Reference" */
export function awsKmsApi({ uri, keyId, region, endpoint }: AwsKmsKey, options: AwsOptions): KmsApi {
  const credentials = identityOf(region, options)
  const client = new KMSClient({
    region,
    requestHandler: awsRequestHandler(options.transport),
    ...(endpoint && { endpoint: endpoint.href }),
    ...(credentials && { credentials }),
  })
  return {
    async publicKey(io) {
      const answer = await client.send(new GetPublicKeyCommand({ KeyId: keyId }), sendOptions(io))
      const { PublicKey, KeySpec, KeyUsage } = answer
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- stand-ins for KMS (moto) know no other name
      const keySpec = KeySpec ?? answer.CustomerMasterKeySpec ?? 'unknown'
      return { spki: given(PublicKey, uri), keySpec, keyUsage: KeyUsage ?? 'unknown' }
    },
    async sign({ algorithm, type, bytes }, io) {
      // By the name that was given, not by what it stood for: policies may allow an alias only (kms:RequestAlias).
      const asked = { KeyId: keyId, Message: bytes, MessageType: type, SigningAlgorithm: algorithm }
      const { Signature } = await client.send(new SignCommand(asked), sendOptions(io))
      return given(Signature, uri)
    },
  }
}

function given(bytes: Uint8Array | undefined, uri: string): Uint8Array {
  if (bytes === undefined || bytes.length === 0) {
    throw new OciPublishError('INVALID_DOCUMENT', `the answer of AWS for ${uri} is empty`)
  }
  return bytes
}
