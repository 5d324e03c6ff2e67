// SPDX-License-Identifier: Apache-2.0

import Crypto
import TLS
import XML

@testable import XMPP

/// A server's negotiation, driven by text as a client would send it; what comes of it, as text.
struct ServerScript {
  var negotiation: ServerNegotiation
  /// Who is known.
  var accounts: [String: StoredCredentials] = [:]
  var secret: String? = "secret"
  private(set) var derivations = 0

  init(requiresTLS: Bool = true, _ change: (inout ServerStreamConfiguration) -> Void = { _ in }) throws {
    let tls = try ServerTLS(try ServerIdentity.selfMade(for: ["shakespeare.lit"]))
    var configuration = ServerStreamConfiguration(domain: "shakespeare.lit", tls: tls, requiresTLS: requiresTLS)
    change(&configuration)
    var serial = 0
    negotiation = ServerNegotiation(configuration, decoySecret: [1, 2, 3]) {
      serial += 1
      return "random\(serial)"
    }
  }

  /// Feeds an event, and answers what the negotiation asks for.
  mutating func feed(_ event: ServerNegotiation.Event) -> [String] {
    var output: [String] = []
    for effect in negotiation.received(event) {
      switch effect {
      case .restart(let isAuthenticated): output.append(isAuthenticated ? "restart, known" : "restart")
      case .send(let text): output.append(Self.short(text))
      case .startTLS: output.append("TLS")
      case .find(let localpart): output += feed(.found(accounts[localpart]))
      case .derive(let request):
        derivations += 1
        output += feed(.derived(request.derive()))
      case .bind(let account, let wanted):
        guard let jid = try? account.with(resource: wanted ?? "made") else { return ["no address"] }
        output += feed(.bound(jid))
      case .begin(let jid): output.append("begin \(jid)")
      case .resume(let account, let id, let handled): output.append("resume \(id) of \(account) after \(handled)")
      case .findSecret: output += feed(.secret(secret))
      case .beginComponent(let domain): output.append("component \(domain)")
      case .end: output.append("end")
      }
    }
    return output
  }

  /// What is said, without what is the same everywhere.
  private static func short(_ text: String) -> String {
    var text = Substring(text)
    var output = ""
    if text.hasPrefix("<?xml"),
      let end = text.split(separator: ">", maxSplits: 2, omittingEmptySubsequences: false).last
    {
      output = "header"
      text = end
      if text.isEmpty { return output }
      output += " "
    }
    return output + text
  }

  mutating func header(
    _ attributes: String = "to='shakespeare.lit' version='1.0'", namespace: String = "jabber:client"
  ) throws -> [String] {
    let text = "<stream xmlns='http://etherx.jabber.org/streams' \(attributes)/>"
    return feed(.opened(try Element.parse(text), namespace: namespace))
  }

  mutating func element(_ text: String, isLast: Bool = true, namespace: String = "jabber:client") throws -> [String] {
    feed(.element(try Element.parse(text, namespace: namespace), isLast: isLast))
  }

  mutating func toLogin(_ bindings: [ChannelBinding: [UInt8]] = [:]) throws -> [String] {
    _ = try header()
    _ = try element(Self.starttls)
    _ = feed(.secured(bindings))
    return try header()
  }

  mutating func toBinding() throws -> [String] {
    accounts["juliet"] = TestService.stored
    _ = try toLogin()
    _ = try element(Self.auth("PLAIN", "\0juliet\0\(TestService.password)"))
    return try header()
  }

  static let sasl = "urn:ietf:params:xml:ns:xmpp-sasl"
  static let starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

  static func auth(_ mechanism: String, _ text: String) -> String {
    "<auth xmlns='\(sasl)' mechanism='\(mechanism)'>\(Base64.encode(Array(text.utf8)))</auth>"
  }

  static func response(_ text: String) -> String {
    "<response xmlns='\(sasl)'>\(Base64.encode(Array(text.utf8)))</response>"
  }

  static func failure(_ condition: String) -> String { "<failure xmlns='\(sasl)'><\(condition)/></failure>" }

  static func error(_ condition: String) -> String {
    "<stream:error><\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
  }
}
