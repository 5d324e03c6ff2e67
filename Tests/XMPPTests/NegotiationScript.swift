// SPDX-License-Identifier: Apache-2.0

import Crypto
import TLS
import Testing
import XML

@testable import XMPP

/// A negotiation, driven by text as a server would send it; what comes of it, as text.
struct Script {
  var negotiation: Negotiation
  /// How far it has come.
  private(set) var steps: [String] = []
  static let names = Negotiation.Names(nonce: "fyko+d2lbbFgONRv9qkxdawL", id: "0123", resource: "random")

  init(_ configuration: ClientConfiguration, resumption: Resumption? = nil) {
    negotiation = Negotiation(configuration, names: Self.names, resumption: resumption)
  }

  init(
    _ tls: ClientConfiguration.TLS = .starttls, account: String = "user@shakespeare.lit", password: String = "pencil",
    resource: String? = nil, resumption: Resumption? = nil
  ) throws {
    self.init(
      ClientConfiguration(account: try BareJID(account), password: password, tls: tls, resource: resource),
      resumption: resumption)
  }

  mutating func feed(_ event: Negotiation.Event) -> [String] {
    negotiation.received(event).compactMap { effect in
      switch effect {
      case .step(let step):
        steps.append(step.description)
        return nil
      case .resumed(_, _, let lost, _, let mechanism): return "resumed by \(mechanism), lost \(lost.count)"
      case .notResumed(let lost): return "not resumed, lost \(lost.count)"
      case .restart: return "restart"
      case .send(let text): return text.hasPrefix("<?xml") ? "header" : text
      case .startTLS: return "TLS"
      case .derive(let request): return "derive \(request.iterations)"
      case .bound(let jid, _, let mechanism): return "bound \(jid) by \(mechanism)"
      case .end(let end): return "end \(end.code)"
      }
    }
  }

  mutating func header(_ attributes: String = "from='shakespeare.lit' version='1.0'") throws -> [String] {
    let text = "<stream xmlns='http://etherx.jabber.org/streams' \(attributes)/>"
    return feed(.opened(try Element.parse(text)))
  }

  mutating func element(_ text: String, isLast: Bool = true) throws -> [String] {
    feed(.element(try Element.parse(text, namespace: "jabber:client"), isLast: isLast))
  }

  mutating func features(_ text: String) throws -> [String] {
    try element("<features xmlns='http://etherx.jabber.org/streams'>\(text)</features>")
  }

  mutating func toTLS(_ bindings: [ChannelBinding: [UInt8]] = [:]) throws {
    #expect(feed(.connected) == ["restart", "header"])
    #expect(try header() == [])
    #expect(try features(Self.starttls) == ["<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"])
    #expect(try element(Self.proceed) == ["TLS"])
    #expect(feed(.secured(bindings)) == ["restart", "header"])
    #expect(try header() == [])
  }

  mutating func toBinding() throws {
    try toTLS()
    #expect(try features(Self.mechanisms("PLAIN")).count == 1)
    #expect(try element("<success xmlns='\(Self.sasl)'/>") == ["restart", "header"])
    #expect(try header() == [])
  }

  static let sasl = "urn:ietf:params:xml:ns:xmpp-sasl"
  static let starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
  static let proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
  static let bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"

  static func mechanisms(_ names: String...) -> String { mechanisms(names) }

  static func mechanisms(_ names: [String]) -> String {
    "<mechanisms xmlns='\(sasl)'>\(names.map { "<mechanism>\($0)</mechanism>" }.joined())</mechanisms>"
  }

  static func channelBindings(_ names: [String]) -> String {
    "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>\(names.map { "<channel-binding type='\($0)'/>" }.joined())"
      + "</sasl-channel-binding>"
  }

  static func message(_ name: String, _ text: String) -> String {
    "<\(name) xmlns='\(sasl)'>\(Base64.encode(Array(text.utf8)))</\(name)>"
  }

  static func bound(_ jid: String, id: String = "bind-0123") -> String {
    "<iq id='\(id)' type='result'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>\(jid)</jid></bind></iq>"
  }
}
