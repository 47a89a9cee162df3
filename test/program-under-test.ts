/**
 * What the tests in `test/` use of the built program, and where it stands: when a file of the program moves, this is the
 * one file of tests to edit. (`program/program.ts` has the paths for those who start it as a process.)
 */
export { parseCredentials } from "../packages/client/dist/credential/credentials-file.js";
export { signingFetch } from "../packages/client/dist/signing-fetch.js";
export type { SigningFetchOptions } from "../packages/client/dist/signing-fetch.js";
export { formatKeyText, isRefusal } from "../packages/protocol/dist/index.js";
export { parseCheckpoint } from "../packages/ledger/dist/checkpoint.js";
export { parseEnded } from "../packages/ledger/dist/ended-record.js";
export { parseExportManifest } from "../packages/ledger/dist/export-manifest.js";
export { parseRecordLine } from "../packages/ledger/dist/record-line.js";
export { defaultEnvironment, environmentDefaults } from "../packages/sallyport/dist/access/default-environment.js";
export { everything } from "../packages/sallyport/dist/access/everything.js";
export { explained } from "../packages/sallyport/dist/access/explain.js";
export { lostRight } from "../packages/sallyport/dist/access/lost-right.js";
export { newPrincipal } from "../packages/sallyport/dist/access/new-principal.js";
export { PermissionUses } from "../packages/sallyport/dist/access/permission-uses.js";
export type { PermissionUse } from "../packages/sallyport/dist/access/permission-uses.js";
export { readPrices } from "../packages/sallyport/dist/cli/usage/prices.js";
export { readPolicy } from "../packages/sallyport/dist/access/policy-file.js";
export { PolicyTextReader } from "../packages/sallyport/dist/access/policy-text-reader.js";
export { readPolicyText } from "../packages/sallyport/dist/access/policy-text.js";
export type {
  AdminRight,
  Assignment,
  Environment,
  PolicyState,
  Principal,
  Role,
} from "../packages/sallyport/dist/access/policy.js";
export { SnapshotView } from "../packages/sallyport/dist/access/snapshot-view.js";
export { compileSnapshot } from "../packages/sallyport/dist/access/snapshot.js";
export { takesAway } from "../packages/sallyport/dist/access/taking-away.js";
export { USUAL_STATE } from "../packages/sallyport/dist/access/upstream-state.js";
export type { UpstreamState } from "../packages/sallyport/dist/access/upstream-state.js";
export { makeAdminApp } from "../packages/sallyport/dist/admin/app.js";
export type { AdminApp } from "../packages/sallyport/dist/admin/app.js";
export { AuditReads } from "../packages/sallyport/dist/admin/audit-reads.js";
export { ConsoleSessions } from "../packages/sallyport/dist/admin/console/console-sessions.js";
export { ConsoleFiles } from "../packages/sallyport/dist/admin/console/console-files.js";
export type { AdminPorts, UnconfirmedRestore } from "../packages/sallyport/dist/admin/ports.js";
export { createAdminServer } from "../packages/sallyport/dist/admin/server.js";
export type { AdminServer } from "../packages/sallyport/dist/admin/server.js";
export type { AuditFilter, AuditPage, AuditRecord } from "../packages/sallyport/dist/audit/audit-log.js";
export { eventTypes } from "../packages/sallyport/dist/audit/event.js";
export type { LedgerEvent } from "../packages/sallyport/dist/audit/event.js";
export type { Change, Operation } from "../packages/sallyport/dist/changes/change.js";
export { Feed } from "../packages/sallyport/dist/changes/feed.js";
export type { ChangeWriter } from "../packages/sallyport/dist/changes/feed.js";
export { imagesOf, keyChangedInPart } from "../packages/sallyport/dist/changes/image.js";
export type { Committed } from "../packages/sallyport/dist/changes/image.js";
export {
  makeBase,
  makeEntry,
  mistakeOfBase,
  mistakeOfEntry,
} from "../packages/sallyport/dist/cluster/authority/epoch-entry.js";
export type {
  EntryDraft,
  EntrySigner,
  EpochEntry,
  LogHead,
} from "../packages/sallyport/dist/cluster/authority/epoch-entry.js";
export type { EpochLog, SequencerRight } from "../packages/sallyport/dist/cluster/authority/epoch-log.js";
export { MemoryEpochLog, MemoryEpochs } from "../packages/sallyport/dist/cluster/authority/memory-epoch-log.js";
export { formatChange, parseChange } from "../packages/sallyport/dist/cluster/authority/change-text.js";
export { Sequencer } from "../packages/sallyport/dist/cluster/authority/sequencer.js";
export { parsePostgresAddress } from "../packages/sallyport/dist/config/postgres-address.js";
export { PostgresEpochLog } from "../packages/sallyport/dist/cluster/postgres/postgres-epoch-log.js";
export type { Io } from "../packages/sallyport/dist/cli/terminal/io.js";
export type { Cli } from "../packages/sallyport/dist/cli/terminal/cli.js";
export { makeProgram, runCli } from "../packages/sallyport/dist/cli/program.js";
export { makeConnect } from "../packages/sallyport/dist/cli/terminal/connect.js";
export { processIo } from "../packages/sallyport/dist/cli/terminal/io.js";
export { initialize, openGateway, verifyDirectory } from "../packages/sallyport/dist/compose.js";
export type { Gateway } from "../packages/sallyport/dist/compose.js";
export { CERTIFICATE_POLL_MS } from "../packages/sallyport/dist/listener/certificate-files.js";
export { openCore } from "../packages/sallyport/dist/compose/core.js";
export type { Core } from "../packages/sallyport/dist/compose/core.js";
export { makeDataPlane } from "../packages/sallyport/dist/compose/data-plane.js";
export type { DataPlane } from "../packages/sallyport/dist/compose/data-plane.js";
export { makeGatewayMetrics } from "../packages/sallyport/dist/compose/gateway-metrics.js";
export type { GatewayMetrics } from "../packages/sallyport/dist/compose/gateway-metrics.js";
export { readLaterRecords } from "../packages/sallyport/dist/store/backup/later-records.js";
export {
  exportAudit,
  proveRecord,
  proveRecords,
  publishedKeys,
} from "../packages/sallyport/dist/store/directory/ledger-files.js";
export { verifyPath } from "../packages/sallyport/dist/store/directory/verify-path.js";
export { rekey, rotatePeppers } from "../packages/sallyport/dist/compose/rekey.js";
export { repairAudit } from "../packages/sallyport/dist/store/directory/repair.js";
export { cosign, openWitness } from "../packages/sallyport/dist/compose/witness.js";
export { openWitnesses } from "../packages/sallyport/dist/compose/witnesses.js";
export type { WitnessCore } from "../packages/sallyport/dist/compose/witnesses.js";
export { readIdentityFile } from "../packages/sallyport/dist/config/identity-file.js";
export type { IdentitySettings, ProviderSettings } from "../packages/sallyport/dist/config/identity-file.js";
export { loadSettings } from "../packages/sallyport/dist/config/load-settings.js";
export type { Settings } from "../packages/sallyport/dist/config/settings.js";
export type { SinkSettings } from "../packages/sallyport/dist/config/sink-settings.js";
export type { WitnessSettings } from "../packages/sallyport/dist/config/witness-settings.js";
export { NativeObject, NativeStream } from "../packages/sallyport/dist/dataplane/answer/native-stream.js";
export { OpenaiStream } from "../packages/sallyport/dist/dataplane/answer/openai-stream.js";
export { filterModels, redactShow } from "../packages/sallyport/dist/dataplane/answer/rewrites.js";
export { AnthropicStream, ResponsesStream } from "../packages/sallyport/dist/dataplane/answer/typed-event-stream.js";
export { rewriteError } from "../packages/sallyport/dist/dataplane/answer/upstream-error.js";
export { clientName } from "../packages/sallyport/dist/dataplane/client-name.js";
export { SessionDesk } from "../packages/sallyport/dist/dataplane/login/session-desk.js";
export { readForm } from "../packages/sallyport/dist/dataplane/oauth/form.js";
export { standing } from "../packages/sallyport/dist/dataplane/standing.js";
export { readRemoteModels } from "../packages/sallyport/dist/dataplane/upstream/listed-models.js";
export { endpoints } from "../packages/sallyport/dist/dataplane/wire/endpoints.js";
export { readKeepAlive } from "../packages/sallyport/dist/dataplane/wire/keep-alive.js";
export { matchEndpoint } from "../packages/sallyport/dist/dataplane/wire/match.js";
export { digestMatches } from "../packages/sallyport/dist/factors/body-digest.js";
export { parseOllamaCredential } from "../packages/sallyport/dist/factors/ollama-signature.js";
export { ReplayStore } from "../packages/sallyport/dist/factors/replay-store.js";
export { verifyRequestSignature } from "../packages/sallyport/dist/factors/request-signature.js";
export { readSignedFields } from "../packages/sallyport/dist/factors/signed-fields.js";
export { makeSigner } from "../packages/sallyport/dist/factors/signer.js";
export type { Signer, SignerAlgorithm } from "../packages/sallyport/dist/factors/signer.js";
export { parseSshPublicKey } from "../packages/sallyport/dist/factors/ssh-public-key.js";
export { emptyExternal } from "../packages/sallyport/dist/identity/apply-statement.js";
export { DirectoryReader } from "../packages/sallyport/dist/identity/directory-pages.js";
export { DirectoryPoll } from "../packages/sallyport/dist/identity/directory-poll.js";
export { EventPoll } from "../packages/sallyport/dist/identity/event-poll.js";
export { EventReceiver } from "../packages/sallyport/dist/identity/event-receiver.js";
export { failed } from "../packages/sallyport/dist/identity/failed-claims.js";
export { IssuerKeys } from "../packages/sallyport/dist/identity/issuer-keys.js";
export { Enrolment } from "../packages/sallyport/dist/identity/local/enrolment.js";
export type { LocalLogin } from "../packages/sallyport/dist/identity/local/local-login.js";
export { LocalLogins } from "../packages/sallyport/dist/identity/local/local-logins.js";
export { readPhc } from "../packages/sallyport/dist/identity/local/password-hash.js";
export { normalizePassword, refusePassword } from "../packages/sallyport/dist/identity/local/password.js";
export { LogOut } from "../packages/sallyport/dist/identity/log-out.js";
export type { Provider } from "../packages/sallyport/dist/identity/provider.js";
export { Reconciler } from "../packages/sallyport/dist/identity/reconciler.js";
export { readFilter } from "../packages/sallyport/dist/identity/scim-filter.js";
export { SeenTokens } from "../packages/sallyport/dist/identity/seen-tokens.js";
export type { Statement } from "../packages/sallyport/dist/identity/statement.js";
export { htmlText, markdownText, plainText } from "../packages/sallyport/dist/incident/hostile-text.js";
export { newIncidentId, openIncidentOf } from "../packages/sallyport/dist/incident/incident.js";
export type { Incident } from "../packages/sallyport/dist/incident/incident.js";
export { makeLeakHolder } from "../packages/sallyport/dist/compose/leaks.js";
export { GithubKeys, readGithubKey } from "../packages/sallyport/dist/leaks/github-signature.js";
export { LeakDesk } from "../packages/sallyport/dist/leaks/leak-desk.js";
export { sendBounded } from "../packages/sallyport/dist/kernel/bounded-request.js";
export type { BoundedRequest } from "../packages/sallyport/dist/kernel/bounded-request.js";
export { CLOCK_PATIENCE_MS } from "../packages/sallyport/dist/kernel/clock-agreement.js";
export { systemClock } from "../packages/sallyport/dist/kernel/clock.js";
export type { Clock } from "../packages/sallyport/dist/kernel/clock.js";
export { openLog } from "../packages/sallyport/dist/kernel/log.js";
export { normalizeAddress, parseNetwork } from "../packages/sallyport/dist/kernel/network-list.js";
export { networkPrefix } from "../packages/sallyport/dist/kernel/network-prefix.js";
export { LedgerLines } from "../packages/sallyport/dist/store/ledger/ledger-lines.js";
export { Secret } from "../packages/sallyport/dist/kernel/secret.js";
export { readJson } from "../packages/sallyport/dist/kernel/strict-json/read-json.js";
export { KeyDirectory } from "../packages/sallyport/dist/keys/directory.js";
export { LiveEvents } from "../packages/sallyport/dist/admin/events/live-events.js";
export { KeyIndex } from "../packages/sallyport/dist/keys/search/key-index.js";
export { hashKeyText } from "../packages/sallyport/dist/keys/hash.js";
export { issueAdminKey } from "../packages/sallyport/dist/keys/issue.js";
export { factorsOf, newKey } from "../packages/sallyport/dist/keys/key.js";
export type { KeyRecord } from "../packages/sallyport/dist/keys/key.js";
export { KeyLifecycle } from "../packages/sallyport/dist/keys/lifecycle.js";
export { OllamaSignerIndex } from "../packages/sallyport/dist/keys/ollama-signer-index.js";
export type { KeyLifeState } from "../packages/sallyport/dist/keys/operations.js";
export { FindingRecords } from "../packages/sallyport/dist/access/posture/finding-records.js";
export type { FindingRecord } from "../packages/sallyport/dist/access/posture/finding-record.js";
export { Restrictions } from "../packages/sallyport/dist/keys/restrictions.js";
export { beginRotation, endOverlap, noteFirstUse } from "../packages/sallyport/dist/keys/secret-machine.js";
export type { TicketRecord } from "../packages/sallyport/dist/keys/ticket.js";
export { UseRecord } from "../packages/sallyport/dist/keys/use-record.js";
export { makeAddressRules } from "../packages/sallyport/dist/listener/client-address.js";
export { extractCredential } from "../packages/sallyport/dist/listener/credential.js";
export { HostNames } from "../packages/sallyport/dist/listener/host-names.js";
export { Registry } from "../packages/sallyport/dist/outlets/metrics/registry.js";
export { makeSmtpSender } from "../packages/sallyport/dist/outlets/notices/smtp.js";
export { startPractice } from "../packages/sallyport/dist/practice/practice-server.js";
export type { PracticeServer } from "../packages/sallyport/dist/practice/practice-server.js";
export { SinkDelivery } from "../packages/sallyport/dist/outlets/sinks/delivery.js";
export type { DeliveryPorts } from "../packages/sallyport/dist/outlets/sinks/delivery.js";
export { FileSink } from "../packages/sallyport/dist/outlets/sinks/file-sink.js";
export { OtlpSink } from "../packages/sallyport/dist/outlets/sinks/otlp-sink.js";
export { makeOutgoing } from "../packages/sallyport/dist/outlets/sinks/outgoing.js";
export { S3Sink } from "../packages/sallyport/dist/outlets/sinks/s3-sink.js";
export { signV4 } from "../packages/sallyport/dist/outlets/sinks/sigv4.js";
export { judgeStatus } from "../packages/sallyport/dist/outlets/sinks/sink.js";
export type { Sink } from "../packages/sallyport/dist/outlets/sinks/sink.js";
export { SyslogSink } from "../packages/sallyport/dist/outlets/sinks/syslog-sink.js";
export { WebhookSink } from "../packages/sallyport/dist/outlets/sinks/webhook-sink.js";
export { readArchive, writeArchive } from "../packages/sallyport/dist/store/backup/archive.js";
export { AuditLink } from "../packages/sallyport/dist/store/search/audit-link.js";
export { backUpDirectory } from "../packages/sallyport/dist/store/backup/back-up-directory.js";
export type { BackupOrder } from "../packages/sallyport/dist/store/backup/back-up-directory.js";
export { bindDatabase } from "../packages/sallyport/dist/store/state/bind-database.js";
export { boundTables, unboundTables } from "../packages/sallyport/dist/store/state/bound-tables.js";
export { checkState } from "../packages/sallyport/dist/store/state/check-state.js";
export { checkDataDirectory, initDataDirectory } from "../packages/sallyport/dist/store/directory/data-directory.js";
export { DataKeys } from "../packages/sallyport/dist/store/secrets/data-keys.js";
export { dataPaths, isInitialized } from "../packages/sallyport/dist/store/disk/data-paths.js";
export { keyIdOf, openUnder } from "../packages/sallyport/dist/store/secrets/envelope.js";
export { openIndexKey } from "../packages/sallyport/dist/store/secrets/signing-key.js";
export { readKeyEncryptionKey } from "../packages/sallyport/dist/store/secrets/key-encryption-key.js";
export { ledgerCrypto } from "../packages/ledger/dist/node/ledger-crypto.js";
export { openLedgerReader } from "../packages/sallyport/dist/store/search/ledger-reader.js";
export type { LedgerReader } from "../packages/sallyport/dist/store/search/ledger-reader.js";
export { lockDataDirectory } from "../packages/sallyport/dist/store/disk/lock.js";
export { isBackupName } from "../packages/sallyport/dist/store/backup/manifest.js";
export { migrations } from "../packages/sallyport/dist/store/state/migrations.js";
export type { Migration } from "../packages/sallyport/dist/store/state/migrations/migration.js";
export { deriveNoteSigner, nodeName } from "../packages/sallyport/dist/store/ledger/note-signer.js";
export { openSealer, ownSource } from "../packages/sallyport/dist/store/secrets/open-sealer.js";
export { UpstreamFile } from "../packages/sallyport/dist/store/secrets/upstream-file.js";
export { openStore } from "../packages/sallyport/dist/store/directory/open-store.js";
export type { StoreOptions } from "../packages/sallyport/dist/store/directory/open-store.js";
export { PepperFiles } from "../packages/sallyport/dist/store/secrets/pepper-files.js";
export type { Store } from "../packages/sallyport/dist/store/ports.js";
export { KeyRadius } from "../packages/sallyport/dist/store/search/radius/key-radius.js";
export { wantedOf } from "../packages/sallyport/dist/store/search/record-match.js";
export { restoreDirectory } from "../packages/sallyport/dist/store/backup/restore.js";
export { readPlainOutcome } from "../packages/sallyport/dist/usage/usage-record.js";
export { readRestoredMark } from "../packages/sallyport/dist/store/state/restored-mark.js";
export { environmentRow, readEnvironment } from "../packages/sallyport/dist/store/state/rows.js";
export { SCHEMA_VERSION } from "../packages/sallyport/dist/store/disk/schema.js";
export {
  pepperFile,
  readSecretFile,
  sealedFiles,
  signingKeyFile,
} from "../packages/sallyport/dist/store/secrets/sealed-files.js";
export { SegmentIndex } from "../packages/sallyport/dist/store/search/segment-index.js";
export {
  generateSigningKey,
  openSigningKey,
  signerFromPem,
} from "../packages/sallyport/dist/store/secrets/signing-key.js";
export { openDatabase } from "../packages/sallyport/dist/store/disk/sqlite.js";
export { upgradeDatabase } from "../packages/sallyport/dist/store/state/upgrade.js";
export type { Upgraded } from "../packages/sallyport/dist/store/state/upgrade.js";
export { RevokedTokens } from "../packages/sallyport/dist/tokens/revoked-tokens.js";
export { TokenKeys } from "../packages/sallyport/dist/tokens/token-keys.js";
export { looksLikeToken } from "../packages/sallyport/dist/tokens/verify.js";
export { parseTraceParent } from "../packages/sallyport/dist/outlets/traces/trace-parent.js";
export { Rightsizings } from "../packages/sallyport/dist/access/rightsizing/rightsizings.js";
export type { Rightsizing } from "../packages/sallyport/dist/access/rightsizing/rightsizing.js";
export { boundedScope, isWithinBoundary } from "../packages/sallyport/dist/access/rightsizing/boundary.js";
export { decide } from "../packages/sallyport/dist/access/decide.js";
export { BoundaryGuard } from "../packages/sallyport/dist/rightsizing/boundary-guard.js";
export { PermissionUseFold } from "../packages/sallyport/dist/usage/permission-use-fold.js";
export { proposeBoundary } from "../packages/sallyport/dist/rightsizing/proposal.js";
export type { NoProposal } from "../packages/sallyport/dist/rightsizing/proposal.js";
export { replayDecisions } from "../packages/sallyport/dist/rightsizing/decision-replay.js";
export {
  AFTER_DAYS,
  workingYear,
  YEAR_DAYS,
  YEAR_START_MS,
} from "../packages/sallyport/dist/watch-lab/working-year/working-year.js";
export type { YearHabit, YearRequest } from "../packages/sallyport/dist/watch-lab/working-year/working-year.js";
export type { PermissionUseSum } from "../packages/sallyport/dist/usage/permission-use.js";
export type { RecordedDecision } from "../packages/sallyport/dist/usage/recorded-decisions.js";
export { ReviewJobs } from "../packages/sallyport/dist/compose/review-care.js";
export { ReviewRecords } from "../packages/sallyport/dist/reviews/review-records.js";
export type { ReviewLine, ReviewRecord } from "../packages/sallyport/dist/reviews/review.js";
export { SUBJECTS_MAX } from "../packages/sallyport/dist/admin/reviews/survey-population.js";
export {
  digestState,
  readReplicaPlace,
  writeReplicaPlace,
} from "../packages/sallyport/dist/store/state/replica-place.js";
