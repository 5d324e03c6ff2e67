// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// Who is behind the unique names that send us something: asked of the bus once, kept until they leave it.
@LoopActor
final class Senders {
  private unowned let connection: BusConnection
  private var known: [String: Caller] = [:]
  private var waiting: [String: [@LoopActor (Result<Caller, DBusError>) -> Void]] = [:]
  private var departureHandlers: [@LoopActor (String) -> Void] = []

  init(_ connection: BusConnection) { self.connection = connection }

  /// Asks the bus to tell us who leaves (and not who comes): unique names lose their owner and never get another.
  func watchDepartures() async throws(DBusError) {
    _ = try await connection.callBus(
      "AddMatch",
      [
        .string(
          "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
            + "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''")
      ])
  }

  /// The caller, if it has been asked for before.
  func cached(_ name: String) -> Caller? { known[name] }

  /// How many callers are being asked for.
  var identifying: Int { waiting.count }

  /// How many wait for this caller to be known.
  func waiting(for name: String) -> Int { waiting[name]?.count ?? 0 }

  /// Calls `completion` with who `name` is: at once when that is known, else in the order of these calls.
  func identify(_ name: String, _ completion: @escaping @LoopActor (Result<Caller, DBusError>) -> Void) {
    if let caller = known[name] { return completion(.success(caller)) }
    waiting[name, default: []].append(completion)
    guard waiting[name]?.count == 1 else { return }
    connection.callBus("GetConnectionCredentials", [.string(name)]) { [self] result in
      answered(name, result)
    }
  }

  private func answered(_ name: String, _ result: Result<Reply, DBusError>) {
    let outcome: Result<Caller, DBusError>
    do {
      let credentials = try result.get().read([String: Value].self)
      guard let uid = credentials["UnixUserID"]?.as(UInt32.self) else {
        throw DBusError(.accessDenied, "The bus does not know which user \(name) is")
      }
      let caller = Caller(name: name, uid: uid, pid: credentials["ProcessID"]?.as(UInt32.self))
      known[name] = caller
      outcome = .success(caller)
    } catch let error as DBusError {
      outcome = .failure(error)
    } catch {
      outcome = .failure(DBusError(.failed, "\(error)"))
    }
    for completion in waiting.removeValue(forKey: name) ?? [] { completion(outcome) }
  }

  func onDeparture(_ handler: @escaping @LoopActor (String) -> Void) { departureHandlers.append(handler) }

  /// The bus says that `name` has no owner any more.
  func left(_ name: String) {
    guard name.hasPrefix(":") else { return }
    known[name] = nil
    for handler in departureHandlers { handler(name) }
  }

  func removeAll() {
    known = [:]
    departureHandlers = []
  }
}
