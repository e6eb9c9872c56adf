// What `knocklib/client` exports: all that a client needs, on any system.

export type { Progress } from './client/carry-out.js'
export {
  type ConnectDoorOptions,
  type ConnectWait,
  connectDoor,
} from './client/connect/connect-door.js'
export {
  type DerivedAt,
  type DerivedPorts,
  type DerivedToken,
  portsAt,
  tokenAt,
} from './client/derived.js'
export { loadProfile } from './client/load-profile.js'
export {
  type DoorVerdict,
  type OpenDoorOptions,
  openDoor,
  type Verdict,
} from './client/open-door.js'
export { type FailedAddress, type SendOptions, type SentKnock, sendKnock } from './client/send.js'
export { profileFromUri, profileToUri, type UriOptions } from './client/uri.js'
export {
  ArgumentError,
  CapabilityError,
  ConnectError,
  DocumentError,
  KnockError,
  ProblemError,
  ProfileError,
  SendError,
} from './errors.js'
export type { Carrier } from './spec/derive/carrier.js'
export type {
  KnockProfile,
  ProfileDoor,
  ProfileStep,
  RateProfile,
  RhythmProfile,
  RotateProfile,
  TokenProfile,
} from './spec/generated/client-types.js'
export type { Family } from './spec/model/packet-model.js'
export type { SpecProblem } from './text/problems.js'
