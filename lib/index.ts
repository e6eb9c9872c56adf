// What knocklib exports.

export { loadProfile } from './client/profile.js'
export { type KnockProfile, type SendOptions, sendKnock } from './client/send.js'
export {
  ArgumentError,
  CapabilityError,
  isInvalidSpec,
  isNotFound,
  isNotPermitted,
  KnockError,
  type KnockErrorCode,
  ListingError,
  NftError,
  type NftErrorCode,
  type NftFailure,
  SendError,
  SpecError,
  type SpecProblem,
} from './errors.js'
export { type CloseOptions, Door, Knock, type OpenOptions } from './handle.js'
export { FakeNft, type FakeNftOptions } from './kernel/fake.js'
export {
  type CallOptions,
  createNft,
  type ListQuery,
  type Nft,
  type NftOptions,
} from './kernel/nft.js'
export {
  type AttachOptions,
  attachKnock,
  checkKnock,
  type InstallOptions,
  installKnock,
  type KernelOptions,
  refillKnock,
  renderKnock,
  renderKnockText,
} from './knock.js'
export { loadDocument } from './load.js'
export type { NftCommand, NftDocument, NftObject } from './nft/document.js'
export {
  PacketError,
  type SimulatedPacket,
  type Simulation,
  simulateKnock,
  type TracePacket,
} from './simulation.js'
export type * from './spec/generated/knock-types.js'
export type { ValidSpec } from './spec/model.js'
export { validateSpec } from './spec/validate.js'
export { loadTrace, parseTrace } from './trace.js'
export type { Ban, Counters, DoorStatus, Fill, Grant, Progress, Status } from './view/status.js'
