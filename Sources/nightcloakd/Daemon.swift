// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import EventLoop
internal import Glibc
internal import Logging
internal import Network
internal import PresenceService
internal import Store

/// The life of the program: onto the bus, serve, and off again in order.
@LoopActor
final class Daemon {
  nonisolated static let version = "0.1.0"

  private let options: CommandLineOptions
  private let logger = Logger(label: "nightcloakd")
  private var service: Service?
  private var store: Store?
  private var networkChanges: NetworkChanges?
  private var clockChanges: ClockChanges?
  private var isStopping = false

  init(_ options: CommandLineOptions) { self.options = options }

  func run() async {
    Signals.handle([SIGTERM, SIGINT]) { _ in spawn { await self.stop(status: 0) } }
    guard let store = await openStore() else { return }
    self.store = store
    do throws(DBusError) {
      let connection = try await BusConnection.open(address)
      connection.onDisconnected = { [self] error in
        fail("the bus went away, and with it everybody who could decide: \(error.message)")
      }
      let service = Service(
        connection, audibility: options.bus == .session ? .everyone : .interested, version: Self.version,
        store: store, lookups: options.lookups, logger: logger)
      self.service = service
      try await service.start()
    } catch {
      return fail(error.message)
    }
    watchSurroundings()
    ServiceManager.notify("READY=1")
    ServiceManager.startWatchdog()
    logger.notice("ready", metadata: ["name": "\(Service.busName)", "version": "\(Self.version)"])
  }

  /// Opens what earlier runs have left; without it nobody may trust us to remember.
  private func openStore() async -> Store? {
    let directory: String?
    switch StateDirectory.choose(options) {
    case .directory(let path): directory = path
    case .memory:
      directory = nil
      logger.info("nothing is kept beyond this run: --state-directory says where it would be")
    case .unknown(let reason):
      fail(reason)
      return nil
    }
    do throws(StoreError) {
      let store = try await Store.open(directory: directory)
      store.onFault = { [logger] in logger.warning("\($0.message)") }
      return store
    } catch {
      fail(error.message)
      return nil
    }
  }

  /// What waits for the network or the machine to come back need not wait any longer.
  private func watchSurroundings() {
    networkChanges = NetworkChanges(time: EventLoop.shared.time) { [self] in
      logger.debug("the network has changed")
      service?.surroundingsChanged()
    }
    clockChanges = ClockChanges { [self] change in
      logger.debug("the clock has jumped", metadata: ["change": "\(change)"])
      service?.surroundingsChanged()
    }
    guard networkChanges == nil || clockChanges == nil else { return }
    logger.warning("the kernel does not tell of networks that come back: lost connections are retried at their time")
  }

  private var address: BusAddress {
    switch options.bus {
    case .system: .system
    case .session: .session
    case .address(let address): .address(address)
    }
  }

  /// Says goodbye on all streams, then ends with `status`.
  private func stop(status: Int32) async {
    guard !isStopping else { return }
    isStopping = true
    ServiceManager.notify("STOPPING=1")
    // Whoever waits for us gives up after a while; so do we, in time.
    _ = EventLoop.shared.time.schedule(after: .milliseconds(4500)) { [self] in
      logger.warning("a server did not let go in time")
      exit(status)
    }
    await service?.stop()
    await store?.close()
    exit(status)
  }

  private func fail(_ reason: String) {
    logger.error("\(reason)")
    spawn { await self.stop(status: 1) }
  }
}
