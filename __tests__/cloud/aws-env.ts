const before = { ...process.env }

/** Sets what AWS's clients read of the environment for themselves, and nothing else of the kind. */
export function setAwsEnv(values: Readonly<Record<string, string>>): void {
  restoreEnv()
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name)
  Object.assign(process.env, { AWS_EC2_METADATA_DISABLED: 'true', ...values })
}

/** Puts everything back. */
export function restoreEnv(): void {
  for (const name of Object.keys(process.env)) if (!(name in before)) Reflect.deleteProperty(process.env, name)
  Object.assign(process.env, before)
}
