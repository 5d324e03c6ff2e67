// SPDX-License-Identifier: Apache-2.0

public import DBus
import EventLoop
import Testing

/// libdbus has a type of that name too.
public typealias DBusError = DBus.DBusError

/// Serves the test interface.
@LoopActor
final class Everything: EverythingServer {
  var level = "low"
  var items = ["one", "two"]
  var noise: UInt32 = 7
  let version = "1.2"
  var secret = ""
  var callers: [Caller] = []
  var pings = 0
  var onPing: @LoopActor () -> Void = {}
  private(set) var waiting: [String: CheckedContinuation<Void, Never>] = [:]

  func release(_ token: String) { waiting.removeValue(forKey: token)?.resume() }

  func echo(value: Value, caller: Caller) async throws -> Value { value }
  func echoTyped(
    y: UInt8, b: Bool, t: UInt64, path: ObjectPath, names: [String], rules: [String: String],
    list: [[String: Value]], pairs: [Structure<String, UInt32>], caller: Caller
  ) async throws -> (
    outY: UInt8, outB: Bool, outT: UInt64, outPath: ObjectPath, outNames: [String], outRules: [String: String],
    outList: [[String: Value]], outPairs: [Structure<String, UInt32>]
  ) {
    (y, b, t, path, names, rules, list, pairs)
  }
  func passFD(file: UnixFD, caller: Caller) async throws -> UnixFD { file }
  func wait(token: String, caller: Caller) async throws -> String {
    await withCheckedContinuation { waiting[token] = $0 }
    return token
  }
  func fail(name: String, text: String, caller: Caller) async throws { throw DBusError(.init(name), text) }
  func fill(bytes: UInt32, caller: Caller) async throws -> String { String(repeating: "x", count: Int(bytes)) }
  func ping(caller: Caller) async throws {
    pings += 1
    callers.append(caller)
    onPing()
  }
  func setLevel(_ value: String, caller: Caller) async throws {
    guard ["low", "high"].contains(value) else { throw DBusError(.invalidArgs, "Level is low or high, not \(value)") }
    level = value
  }
  func setSecret(_ value: String, caller: Caller) async throws { secret = value }
}

/// A tree of which each caller sees what a closure lets them see.
@LoopActor
final class Tree: ObjectTree {
  var objects: [ObjectPath: ExportedObject] = [:]
  var managers: Set<ObjectPath> = []
  var maySee: (ObjectPath, Caller) -> Bool = { _, _ in true }

  func add(_ path: ObjectPath, _ server: any EverythingServer) -> ExportedObject {
    let object = ExportedObject(path, [EverythingSkeleton(server)])
    objects[path] = object
    return object
  }

  /// How many calls were looked up.
  var lookups = 0

  func object(at path: ObjectPath, for caller: Caller) -> ExportedObject? {
    lookups += 1
    return maySee(path, caller) ? objects[path] : nil
  }
  func children(of path: ObjectPath, for caller: Caller) -> [String] {
    let visible = (Array(objects.keys) + managers).filter { maySee($0, caller) }
    return Set(visible.compactMap { $0.component(below: path) }).sorted()
  }
  func managedObjects(under path: ObjectPath, for caller: Caller) -> [ExportedObject]? {
    guard managers.contains(path), maySee(path, caller) else { return nil }
    return objects.values.filter { $0.path != path && $0.path.isWithin(path) }.sorted { $0.path < $1.path }
  }
}

/// A policy that records what it is asked and answers what it was told to.
@LoopActor
final class Policy: SignalPolicy {
  var answer: SignalRecipients = .everyone
  var asked: [SignalContext] = []
  var reads: [String] = []
  func recipients(of signal: SignalContext) -> SignalRecipients {
    asked.append(signal)
    return answer
  }
  func wasRead(_ path: ObjectPath, subtree: Bool, by caller: Caller) {
    reads.append("\(path) \(subtree ? "subtree" : "object") \(caller.name)")
  }
}

/// A bus with a server on it and a client.
@LoopActor
struct Scene {
  let bus: PrivateBus
  let service: BusConnection
  let client: BusConnection
  let server: ObjectServer
  let tree = Tree()
  let policy = Policy()
  let everything = Everything()
  let path: ObjectPath = "/org/nightcloak/Test1/a"
  let proxy: EverythingProxy

  init() async throws {
    bus = try PrivateBus()
    service = try await BusConnection.open(bus.address)
    client = try await BusConnection.open(bus.address)
    server = ObjectServer(service, tree: tree, policy: policy)
    try await service.requestName("org.nightcloak.Test1")
    _ = tree.add(path, everything)
    proxy = EverythingProxy(client, "org.nightcloak.Test1", path)
  }

  func close() {
    client.close()
    service.close()
  }

  func call(
    _ interface: String, _ member: String, _ arguments: [Value] = [], at other: ObjectPath? = nil
  ) async throws(DBusError) -> [Value] {
    try await client.call("org.nightcloak.Test1", other ?? path, interface, member, arguments)
  }

  /// The error that a call is answered with.
  func error(
    _ interface: String, _ member: String, _ arguments: [Value] = [], at other: ObjectPath? = nil
  ) async -> DBusError? {
    do throws(DBusError) {
      _ = try await call(interface, member, arguments, at: other)
      return nil
    } catch {
      return error
    }
  }

  /// Returns when everything that the service sent so far has reached the client, and what that sent the service.
  func fence() async throws(DBusError) {
    _ = try await client.call("org.nightcloak.Test1", "/", "org.freedesktop.DBus.Peer", "Ping")
  }
}

/// Lets the loop turn until `condition` holds, or for five seconds.
@LoopActor
func eventually(_ condition: () -> Bool) async {
  let end = EventLoop.shared.time.now + .seconds(5)
  while !condition(), EventLoop.shared.time.now < end { await EventLoop.shared.time.wait(for: .zero) }
  #expect(condition())
}
