export { startSpecRegistry } from '../../conformance/server/registry.ts'
export type { SpecRegistry, SpecRegistryOptions } from '../../conformance/server/registry.ts'
