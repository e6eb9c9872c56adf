// The public interface: every name that users of the package can import.

export type { ActionCounts } from './actions/queue.js'
export { type AttachOptions, attachKnock, confirmKnock, uninstallKnock } from './api/attach.js'
export type { KernelOptions } from './api/call.js'
export { Knock } from './api/handle.js'
export {
  type CheckOptions,
  type CheckReport,
  checkKnock,
  findWarnings,
  type InstallOptions,
  installKnock,
} from './api/knock.js'
export { loadSecrets } from './api/load-secrets.js'
export { refillKnock } from './api/refill.js'
export { renderKnock, renderKnockText, type TextOptions } from './api/render.js'
export type { StatusOptions } from './api/table-reader.js'
export type { Secrets } from './automaton/language/loads.js'
export type { Attempt } from './automaton/language/names.js'
export type { InstallOutcome } from './change/change.js'
export type { RestoreReport } from './change/saved-state.js'
export type { Progress as SendProgress } from './client/carry-out.js'
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
export {
  type FailedAddress,
  type SendOptions,
  type SentKnock,
  sendKnock,
} from './client/send.js'
export { profileFromUri, profileToUri, type UriOptions } from './client/uri.js'
export {
  ArgumentError,
  CapabilityError,
  ConnectError,
  DocumentError,
  isInvalidSpec,
  isNotFound,
  isNotPermitted,
  KnockError,
  type KnockErrorCode,
  ListingError,
  NetlinkError,
  type NetlinkErrorCode,
  NftError,
  type NftErrorCode,
  type NftFailure,
  ProblemError,
  ProfileError,
  SendError,
  SpecError,
  type SshErrorCode,
  StateError,
  StrictError,
} from './errors.js'
export { loadDocument } from './files/spec-file.js'
export { loadState, saveState } from './files/state-file.js'
export type {
  FailedEvent,
  KeepEvent,
  RestoredEvent,
  WarningEvent,
  WatchingEvent,
} from './keep/event.js'
export type { KeepOptions } from './keep/keep-options.js'
export type { UnconfirmedEvent } from './keep/kept-confirm.js'
export type { ElementOptions } from './kernel/netlink/chosen.js'
export type {
  CallOptions,
  ListQuery,
  Nft,
  NftOptions,
} from './kernel/nft.js'
export { createNft } from './kernel/ssh/create-nft.js'
export type {
  NftChain,
  NftCommand,
  NftContainer,
  NftCounter,
  NftDocument,
  NftElements,
  NftExpression,
  NftFamily,
  NftMap,
  NftName,
  NftObject,
  NftRule,
  NftRuleHandle,
  NftSet,
  NftStatement,
  NftTable,
  NftTarget,
  NftValue,
} from './nft/document.js'
export { METRICS_TYPE, type ProcessCounts, renderMetrics } from './service/metrics.js'
export type { PacketParts } from './simulate/packet.js'
export {
  type SimulatedEvent,
  type SimulatedPacket,
  type Simulation,
  type SimulationOptions,
  simulateKnock,
} from './simulate/simulation.js'
export { PacketError, type TracePacket } from './simulate/simulation-packet.js'
export { loadTrace, parseTrace } from './simulate/trace.js'
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
export type {
  ActionSpec,
  Address,
  BanSpec,
  ClosingSequence,
  DoorKnock,
  DoorName,
  DoorSpec,
  Duration,
  GuardSpec,
  IcmpStep,
  KnockSpec,
  Length,
  LogSpec,
  Name,
  OpenSpec,
  Port,
  PortService,
  PrefixSpec,
  RateKnock,
  Reset,
  RhythmKnock,
  RotateSpec,
  SecretFile,
  SequenceKnock,
  Step,
  StepObject,
  Steps,
  TcpStep,
  TokenKnock,
  TokenUser,
  TrapsSpec,
  UdpStep,
  UserName,
} from './spec/generated/knock-types.js'
export type {
  KnockState,
  SavedBan,
  SavedGrant,
  UsedSequence,
  UsedToken,
} from './spec/generated/state-types.js'
export type { ValidSpec } from './spec/model/model.js'
export type { Family } from './spec/model/packet-model.js'
export { type SpecInput, validateSpec } from './spec/validate.js'
export type { ClosedGrant } from './table/close-all.js'
export { type CloseOptions, Door, type OpenOptions } from './table/door.js'
export type { SpecProblem } from './text/problems.js'
export { describeWarning, type Warning } from './text/warning.js'
export { type Ahead, endsSoon, type UserStatus } from './view/ahead.js'
export {
  checkStatus,
  type StatusCheckOptions,
  type StatusProblem,
} from './view/check-status.js'
export type { ClockStatus } from './view/clock-status.js'
export type { Fill, PendingConfirm } from './view/contents.js'
export type {
  ActionFailedEvent,
  ActionOverrunEvent,
  AtDoor,
  BannedEvent,
  By,
  ClosedEvent,
  DeniedEvent,
  ExpiredEvent,
  GrantedEvent,
  Happened,
  KnockEvent,
  KnockedEvent,
  OverrunEvent,
  ResetEvent,
  TableEvent,
  WrongEvent,
} from './view/event.js'
export type { Penalised, UsedUp } from './view/in-vain.js'
export type {
  Ban,
  Counters,
  DoorStatus,
  Grant,
  Progress,
  Status,
  TableCounters,
} from './view/status.js'
export type { TokenUse } from './view/token-uses.js'
export type { Watcher, WatchOptions } from './watch/watcher.js'
