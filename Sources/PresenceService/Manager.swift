// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import DBus
internal import DBusInterfaces
internal import EventLoop

/// org.nightcloak.Presence1.Manager
@LoopActor
final class Manager: ManagerServer {
  let version: String
  var features: [String] {
    ["decloak", "stanzas"] + Mechanism.allCases.filter { $0 != .none }.map { "visibility-\($0.rawValue)" }
  }
  var protocols: [String] { ConnectionProtocol.allCases.map(\.rawValue) }
  private unowned let service: Service

  init(_ service: Service, version: String) {
    self.service = service
    self.version = version
  }

  func addConnection(account: String, parameters: [String: Value], caller: Caller) async throws -> ObjectPath {
    try await service.add(account, parameters, caller)
  }

  func removeConnection(connection: ObjectPath, options: [String: Value], caller: Caller) async throws {
    try await service.remove(connection, options, caller)
  }

  func listConnections(caller: Caller) async throws -> [ObjectPath] { service.list(caller) }

  func addClientInterest(tokens: [String], caller: Caller) async throws { try service.addInterest(tokens, caller) }

  func removeClientInterest(tokens: [String], caller: Caller) async throws {
    try service.removeInterest(tokens, caller)
  }
}
