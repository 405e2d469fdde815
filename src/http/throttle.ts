/** Statuses under which some registries say that they are asked too often: ECR 400, proxies of companies 403. */
const IN_DISGUISE = [400, 403]
const WORDS = /"TOOMANYREQUESTS"|ThrottlingException|\brate exceeded\b/i

/** Whether a refusal of such a status may be one for now only, which its body tells. */
export function mayBeThrottling(status: number): boolean {
  return IN_DISGUISE.includes(status)
}

/** Whether a refusal means the same as 429. */
export function isThrottling(status: number, body: string): boolean {
  return status === 429 || (mayBeThrottling(status) && WORDS.test(body))
}
