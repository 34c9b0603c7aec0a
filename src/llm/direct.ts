import type { Caller } from '#access'
import { withoutKey } from '#lib/credentials'
import { dropCredentials, placeKey } from './credential.ts'
import { forwarded, type HeaderList } from './headers.ts'
import type { ProviderKey } from './providers/keys.ts'
import type { Providers, ReadyProvider } from './providers/provider.ts'
import { type Target, urlAt } from './target.ts'

/** The client's request as it goes to the provider that its path names: nothing of it is changed but the credential. */
export type Direct = { provider: ReadyProvider; url: string; headers: Headers; key: ProviderKey | null }

/** @throws SluiceError 404 `unknown-provider`, 502 `provider-not-set-up`, `provider-key-missing` */
export function directTo(
  providers: Providers,
  {
    target,
    caller,
    headers,
    recorded,
  }: { target: Target; caller: Caller; headers: Headers; recorded: HeaderList },
): Direct {
  const provider = providers.get(target.provider)
  const onward = forwarded(headers, recorded)
  let key: ProviderKey | null = null
  if (!caller.passThrough) {
    dropCredentials(onward)
    key = placeKey(onward, provider, target.dialect)
  }
  const url = urlAt(provider.baseUrl, caller.passThrough ? target.path : withoutKey(target.path))
  return { provider, url, headers: onward, key }
}
