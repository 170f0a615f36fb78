// Made by scripts/wire_types.py from queue_server.wire: do not edit.

export interface Version {
  epoch: number
  seq: number
  n: number
}

export type HallState = 'before' | 'open' | 'closing' | 'closed'

export type TicketState = 'waiting' | 'called' | 'serving' | 'parked' | 'passed' | 'done' | 'cancelled' | 'void' | 'uncalled'

export type WindowState = 'idle' | 'called' | 'serving' | 'paused' | 'closed'

export type PrinterState = 'ok' | 'near_end' | 'out' | 'jam' | 'cover' | 'offline' | 'unreadable'

export type DeviceState = 'online' | 'degraded' | 'offline' | 'unknown'

export type PrintState = 'none' | 'claimed' | 'printed' | 'failed' | 'unknown'

export interface Words {
  zh: string
  en: string
}

export interface HallMessage {
  kind: string
  text: Words
}

export interface HallDocument {
  id: string
  name: Words
  zone: Words
  day: string
  state: HallState
  opens: string
  closes: string
  message: HallMessage | null
  animations: boolean
  recent_rows: number
  sample: boolean
  english_unofficial: boolean
  muted_until: number | null
}

export interface Call {
  id: string
  number: string
  window: string
  plate: string
  place: Words
  at: number
  times: number
  state: TicketState
}

export interface CallsDocument {
  calls: Call[]
}

export interface LedPage {
  texts: string[]
  red: string
  green: string
  hold_ms: number
}

export interface LedDocument {
  id: string
  name: Words
  width: number
  height: number
  brightness: number
  call: string
  pages: LedPage[]
  problem: Words | null
}

export interface PrepareDocument {
  numbers: string[]
}

export interface NoticeDocument {
  pages: Words[]
}

export interface Spoken {
  id: string
  text: Words
}

export interface SpeechDocument {
  state: string
  speaking: Spoken | null
  queued: number
}

export interface Station {
  matters: Words[]
  window: string
  state: TicketState
}

export interface TicketDocument {
  id: string
  number: string
  state: TicketState
  queue: Words
  matters: Words[]
  quantity: number
  priority: string
  priority_words: Words
  issued_at: number
  effective_at: number
  explanation: Words
  ahead: number
  wait_low_s: number | null
  wait_high_s: number | null
  updated_at: number
  window: string
  plate: string
  place: Words
  watch: Words
  called_at: number | null
  calls: number
  stations: Station[]
  pass_rule: Words
  print_state: PrintState
  rating: string
  can_cancel: boolean
  can_delay: boolean
  origin: string
  delay_rule: Words
}

export interface WindowDocument {
  id: string
  plate: string
  name: Words
  kind: string
  zone: string
  place: Words
  domains: Words[]
  state: WindowState
  since: number | null
  number: string
  calls: number
  pause_reason: Words
  resumes_at: string
  staff: string
  staff_name: string
  served: number
  inviting: boolean
  invite_url: string
  rating_device: DeviceState
  rating_qr: boolean
  rating_qr_since: number | null
  typical_s: number | null
  matter: Words
}

export interface Action {
  name: string
  allowed: boolean
  code: string
  why: Words
}

export interface Undoable {
  what: string
  number: string
  until: number
}

export interface DeskDocument {
  ticket: TicketDocument | null
  service: string
  started_at: number | null
  typical_s: number | null
  note: string
  actions: Action[]
  undo: Undoable | null
  asked: Words | null
  recall_at: number | null
  passed_on: string
}

export interface QueueDocument {
  id: string
  name: Words
  prefix: string
  waiting: number
  longest_s: number
  p50_s: number | null
  p90_s: number | null
  windows_open: number
  no_shows: number
  served: number
  expected_low_s: number | null
  expected_high_s: number | null
  cancelled: number
}

export interface QueuesDocument {
  queues: QueueDocument[]
}

export interface TicketLine {
  id: string
  number: string
  state: TicketState
  matter: Words
  priority_words: Words
  waited_s: number
  at: number
  note: string
}

export interface TicketsDocument {
  tickets: TicketLine[]
}

export interface WindowsDocument {
  windows: WindowDocument[]
}

export interface AlarmDocument {
  id: string
  level: string
  code: string
  text: Words
  since: number
  acknowledged_by: string
  action: string
  subject: string
}

export interface AlarmsDocument {
  alarms: AlarmDocument[]
}

export interface DeviceTrial {
  test: string
  at: number
  outcome: string
  text: Words
}

export interface PageFacts {
  connected_since: number | null
  width: number
  height: number
  ratio: number
}

export interface ZoneSound {
  volume: number
  muted_until: number | null
}

export interface DeviceDocument {
  id: string
  kind: string
  name: Words
  window: string
  state: DeviceState
  last_seen: number | null
  last_error: string
  printer: PrinterState | null
  counters: Record<string, number>
  since: number | null
  test: string
  trial: DeviceTrial | null
  page: PageFacts | null
  sound: ZoneSound | null
  last_sent: number | null
}

export interface DevicesDocument {
  devices: DeviceDocument[]
}

export interface WindowFigures {
  window: string
  plate: string
  name: Words
  served: number
  invited: number
}

export interface ReasonCount {
  reason: Words
  times: number
}

export interface GivenCallsLine {
  window: string
  plate: string
  staff: string
  staff_name: string
  times: number
  last_at: number
  reasons: ReasonCount[]
}

export interface DemandLine {
  id: string
  kind: string
  name: Words
  times: number
  last_at: number
}

export interface DemandDocument {
  lines: DemandLine[]
}

export interface FiguresDocument {
  issued: number
  waiting: number
  called: number
  served: number
  served_direct: number
  no_shows: number
  invited: number
  rated: number
  mean_wait_s: number | null
  longest_waiting_s: number
  unmet: number
  called_given: number
  windows: WindowFigures[]
  given: GivenCallsLine[]
}

export interface KioskDocument {
  id: string
  waiting: number
  tickets_from: string
  tickets_until: string
  printer: PrinterState
  issuing: boolean
  closed_reason: Words
  voice: boolean
  reactivates: boolean
  scanner: boolean
  reader: boolean
  next_opening: Words
  elsewhere: Words[]
}

export interface MenuEntry {
  id: string
  kind: string
  name: Words
  sub: Words
  icon: string
  waiting: number
  wait_low_s: number | null
  wait_high_s: number | null
  open: boolean
  reason: Words
}

export interface PriorityEntry {
  id: string
  name: Words
  basis: Words
  credit_min: number
}

export interface MenuDocument {
  tiles: MenuEntry[]
  priorities: PriorityEntry[]
}

export interface TicketView {
  ticket: TicketDocument
  rate_service: string
  rate_plate: string
  rate_matters: Words[]
  rate_until: number | null
}

export interface Hello {
  type: 'hello'
  token?: string
  build?: string
}

export interface Subscribe {
  type: 'subscribe'
  view: string
  of?: string
}

export interface Unsubscribe {
  type: 'unsubscribe'
  view: string
  of?: string
}

export interface PlayerReady {
  type: 'player'
  zone: string
  ready: boolean
}

export interface Say {
  type: 'say'
  phrase: string
  language?: string
  number?: string
  ahead?: number
}

export interface Began {
  type: 'began'
  id: string
}

export interface Played {
  type: 'played'
  id: string
  outcome: string
  reason?: string
}

export interface Alive {
  type: 'alive'
  sound?: string
}

export interface ReadingHeard {
  type: 'heard'
  id: string
  used: boolean
}

export interface CardGone {
  type: 'card_gone'
}

export interface PageSize {
  type: 'page'
  width: number
  height: number
  ratio: number
}

export interface PatternEnded {
  type: 'pattern_ended'
  id: string
  outcome: string
  reason?: string
}

export interface ErrandDone {
  type: 'errand_done'
  id: string
  outcome: string
  reason?: string
  text?: string
  width?: number
  height?: number
  ratio?: number
}

export type FromScreen = Hello | Subscribe | Unsubscribe | PlayerReady | Say | Began | Played | ErrandDone | Alive | ReadingHeard | CardGone | PageSize | PatternEnded

export interface Welcome {
  type: 'welcome'
  at: number
  start: string
  build: string
  hall: string
  view: string
  of: string
  device: string
  name: string
  address: string
}

export interface Snapshot {
  type: 'snapshot'
  view: string
  of: string
  version: Version
  documents: Record<string, unknown>
}

export interface Change {
  type: 'change'
  view: string
  of: string
  version: Version
  documents: Record<string, unknown>
}

export interface Heartbeat {
  type: 'heartbeat'
  at: number
  epoch: number
  start: string
  build: string
}

export interface Play {
  type: 'play'
  id: string
  epoch: number
  zone: string
  url: string
  duration_ms: number
  text: Words
  volume: number
  again: boolean
}

export interface Reading {
  type: 'reading'
  id: string
  epoch: number
  kind: string
  token: string
  number: string
  passed: boolean
  text: Words
}

export interface Pattern {
  type: 'pattern'
  id: string
  epoch: number
  for_ms: number
  name: string
  place: Words
  volume: number
}

export interface Errand {
  type: 'errand'
  id: string
  epoch: number
  what: string
  name: string
  place: Words
}

export interface Refused {
  type: 'refused'
  code: string
  view: string
  of: string
  text: Words
}

export type ToScreen = Welcome | Snapshot | Change | Heartbeat | Play | Reading | Pattern | Errand | Refused

export interface Problem {
  type: string
  status: number
  code: string
  title: string
  title_en: string
  detail: string
  field: string
  figures: Record<string, string | number | string[]>
}

export interface Empty {
}

export interface Identity {
  kind: string
  number: string
  name?: string
}

export interface TakeTicket {
  matters?: string[]
  bundle?: string
  quantity?: number
  priority?: string
  identity?: Identity | null
  note?: string
  language?: string
  paper?: boolean
  printer?: string
  slip?: string
  card?: string
}

export interface Reprint {
  printer?: string
  card?: string
}

export interface Slip {
  token?: string
  number?: string
  code?: string
  card?: string
}

export interface KioskPin {
  pin: string
}

export interface TicketTaken {
  ticket: TicketDocument
  token: string
  url: string
  created: boolean
  print_job: string
}

export interface TicketList {
  tickets: TicketLine[]
}

export interface LifeLine {
  seq: number
  at: number
  kind: string
  text: Words
  actor: string
  who: Words
  inferred: boolean
}

export interface TicketLife {
  ticket: TicketDocument
  origin: Words
  lines: LifeLine[]
}

export interface Rate {
  token: string
  service: string
  level: number
  tags?: string[]
  text?: string
}

export interface Rated {
  service: string
  stored: boolean
}

export interface MatterHit {
  id: string
  kind: string
  name: string
  name_en: string
  everyday: string[]
  domain: string
  domain_en: string
  department: string
  department_en: string
  initials: string
  waiting: number
  wait_low_s: number | null
  wait_high_s: number | null
  open: boolean
  reason: Words
  materials: string[]
}

export interface MatterHits {
  hits: MatterHit[]
  total: number
  letters: string
}

export interface OpenWindow {
  take_over?: boolean
  staff?: string
}

export interface PauseWindow {
  reason: string
  resumes_at?: string
}

export interface Finish {
  outcome?: string
}

export interface NoShow {
  reason?: string
}

export interface CallNumber {
  number: string
  reason: string
}

export interface Transfer {
  matters?: string[]
  window?: string
  domain?: string
  staff?: string
  reason?: string
}

export interface DomainTarget {
  id: string
  name: Words
  windows_open: number
}

export interface StaffTarget {
  staff: string
  name: string
  window: string
  plate: string
  state: WindowState | null
}

export interface TransferTargets {
  domains: DomainTarget[]
  staff: StaffTarget[]
}

export interface TransferPreview {
  ahead: number
  wait_low_s: number | null
  wait_high_s: number | null
  windows_open: number
}

export interface Leaving {
  stranded: number
}

export interface Park {
  reason: string
  minutes?: number
}

export interface Said {
  text: string
  expired: boolean
}

export interface OneTicket {
  ticket: string
}

export interface ServeDirect {
  matters?: string[]
  quantity?: number
}

export interface DeskReply {
  desk: DeskDocument
  stranded: number
  choices: string[]
}

export interface CloseDay {
  text?: string
  text_en?: string
}

export interface Unreached {
  id: string
  number: string
  matter: Words
  state: TicketState
  slips: number
  print_state: PrintState
}

export interface DayReply {
  state: string
  day: string
  waiting: number
  unreachable: Unreached[]
}

export interface SetMessage {
  kind: string
  zh?: string
  en?: string
}

export interface ConfigurationFile {
  text?: string
  at?: string
}

export interface Finding {
  level: string
  where: string
  text: Words
}

export interface ConfigurationReply {
  findings: Finding[]
  moved: number
  stranded: number
  applied: number
  text: string
}

export interface MuteZone {
  muted: boolean
}

export interface DeviceTestAsked {
  id: string
}

export interface AskScreen {
  what: string
}

export interface ScreenAnswer {
  outcome: string
  reason: string
  text: string
  width: number
  height: number
  ratio: number
}

export interface ScreenAnswers {
  pages: ScreenAnswer[]
}

export interface AvailabilityGap {
  since: number
  until: number
  why: Words
}

export interface AvailabilityLine {
  day: string
  what: string
  subject: string
  plate: string
  name: Words
  open_ms: number
  usable_ms: number
  gaps: AvailabilityGap[]
  invited_by_device: number
  invited_by_qr: number
}

export interface Availability {
  since: string
  until: string
  at: number
  lines: AvailabilityLine[]
}

export interface SignIn {
  staff: string
  password: string
  window?: string
}

export interface Session {
  staff: string
  name: string
  roles: string[]
  hall: string
  window: string
  must_change_password: boolean
}

export interface NewStaff {
  staff: string
  name: string
  roles: string[]
  password?: string
  active?: boolean
}

export interface ChangePassword {
  old: string
  new: string
}

export interface StaffList {
  staff: StaffEntry[]
}

export interface StaffEntry {
  staff: string
  name: string
  roles: string[]
  active: boolean
}

export interface Pairing {
  id: string
  code: string
  expires_at: number
}

export interface PairingState {
  state: string
  token: string
  view: string
  of: string
  path: string
}

export interface ApprovePairing {
  role: string
  of?: string
  name?: string
}

export interface PairedDevice {
  id: string
  role: string
  of: string
  name: string
  created_at: number
  last_seen: number | null
}

export interface Place {
  role: string
  of: string
  name: Words
}

export interface PairedList {
  devices: PairedDevice[]
  places: Place[]
}
