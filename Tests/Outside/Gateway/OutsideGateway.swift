// SPDX-License-Identifier: Apache-2.0

import Support

/// A gateway in the hands of the program.
final class OutsideGateway: OutsideProgram {
  init(_ server: XMPPServer, logLevel: String?) throws {
    try super.init(XMPPServer.componentDomain, port: server.componentPort, logLevel: logLevel)
  }

  override var parameters: [(String, BusValue)] {
    [
      ("protocol", .string("xmpp-component")), ("password", .string(XMPPServer.componentSecret)),
      ("server", .string("127.0.0.1")), ("port", .uint16(proxy.port)),
    ]
  }

  /// Whether it says that it is connected.
  func isConnected() throws -> Bool { try get(.Connection, "Status").text == "connected" }
}
