// What `knocklib/client` exports: all that a client needs, on any system.

export {
  ArgumentError,
  CapabilityError,
  DocumentError,
  KnockError,
  ProblemError,
  ProfileError,
  SendError,
} from '../errors.js'
export type { Carrier } from '../spec/derive/carrier.js'
export type {
  KnockProfile,
  ProfileDoor,
  ProfileStep,
  RateProfile,
  RhythmProfile,
  RotateProfile,
  TokenProfile,
} from '../spec/generated/client-types.js'
export type { Family } from '../spec/model/model.js'
export type { SpecProblem } from '../text/problems.js'
export type { Progress } from './carry-out.js'
export {
  type DerivedAt,
  type DerivedPorts,
  type DerivedToken,
  portsAt,
  tokenAt,
} from './derived.js'
export { loadProfile } from './load-profile.js'
export { type DoorVerdict, type OpenDoorOptions, openDoor, type Verdict } from './open-door.js'
export { type FailedAddress, type SendOptions, type SentKnock, sendKnock } from './send.js'
export { profileFromUri, profileToUri, type UriOptions } from './uri.js'
