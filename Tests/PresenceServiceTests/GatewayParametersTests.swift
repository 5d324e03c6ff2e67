// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import DBus
import EventLoop
import Gateway
import Glibc
import Testing
import XMPP

@testable import PresenceService

@Suite("What a gateway is given when it is added", .timeLimit(.minutes(1)))
struct GatewayParametersTests {
  init() { EventLoop.runInBackground() }

  @LoopActor
  private func read(_ parameters: [String: Value]) async throws -> GatewayConfiguration {
    try await Parameters.gateway(try BareJID("sip.montague.lit"), parameters, for: getuid())
  }

  private func identity(_ category: String, _ type: String) -> Structure<String, String, String, String> {
    Structure(category, type, "", "")
  }

  @Test("A password is enough: the server is that of the parent domain, and audio calls can be made to SIP")
  @LoopActor func least() async throws {
    let least = try await read(["password": "secret", "protocol": "xmpp-component"])
    #expect(least.component.domain == "sip.montague.lit" && least.component.serverName == "montague.lit")
    #expect(least.component.secret == "secret" && least.component.port == nil && least.component.tls == nil)
    #expect(least.features == GatewayConfiguration.usualFeatures)
    #expect(least.identities == GatewayConfiguration.usualIdentities)
    #expect(least.visibility == .visible && !least.component.isBalanced && !least.connectsByItself)
  }

  @Test("All of them are taken as given")
  @LoopActor func all() async throws {
    let hash = String(repeating: "0a", count: 32)
    let identities = [Structure("gateway", "sip", "en", "Calls"), identity("client", "phone")]
    let given = try await read([
      "password": "secret", "server": "xmpp.montague.lit", "port": .uint16(5275), "tls": "direct",
      "fingerprint": .string(hash), "features": ["urn:xmpp:jingle:1"].value, "identities": identities.value,
      "balanced": true, "visibility": "except", "contacts": ["Tybalt@capulet.lit"].value, "autoconnect": true,
    ])
    #expect(given.component.serverName == "xmpp.montague.lit" && given.component.port == 5275)
    #expect(given.component.tls == .direct && given.component.fingerprint == hash && given.component.isBalanced)
    #expect(given.features == ["urn:xmpp:jingle:1"] && given.connectsByItself)
    #expect(
      given.identities == [
        DiscoInfo.Identity(category: "gateway", type: "sip", language: "en", name: "Calls"),
        DiscoInfo.Identity(category: "client", type: "phone"),
      ])
    #expect(given.visibility == VisibilityWish(showsOthers: true, contacts: [BareAddress("tybalt@capulet.lit")]))
    #expect(try await read(["password": "p", "ca-file": "/ca.pem", "tls": "off"]).component.caFile == "/ca.pem")
  }

  @Test("What only an account has, what is unknown and what cannot be is refused by name")
  @LoopActor func refused() async throws {
    let cases: [(parameters: [String: Value], word: String)] = [
      (["resource": "r"], "\"resource\""), (["priority": .int16(1)], "\"priority\""),
      (["mechanism": "directed"], "\"mechanism\""), (["trust-unannounced": true], "\"trust-unannounced\""),
      (["client-certificate": "/c.pem"], "\"client-certificate\""), (["persistent": true], "\"persistent\""),
      (["accept-weaker-login": true], "\"accept-weaker-login\""), (["tls": "starttls"], "\"starttls\""),
      (["tls": "off", "fingerprint": .string(String(repeating: "0a", count: 32))], "\"fingerprint\""),
      (["port": .uint16(0)], "\"port\""), (["server": ""], "\"server\""), (["ca-file": "ca"], "\"ca-file\""),
      (["features": "urn:xmpp:jingle:1"], "\"features\""), (["identities": true], "\"identities\""),
      (["balanced": "yes"], "\"balanced\""),
      (["contacts": ["a@b"].value], "\"contacts\""),
    ]
    for (parameters, word) in cases {
      let error = await #expect(throws: DBusError.self, "\(parameters)") {
        try await read(parameters.merging(["password": "p"]) { old, _ in old })
      }
      #expect(error?.name == .invalidArgs && error?.message.contains(word) == true, "\(String(describing: error))")
    }
    let missing = await #expect(throws: DBusError.self) { try await read([:]) }
    #expect(missing?.message.contains("\"password-fd\".") == true)
    let groups = await #expect(throws: AccountError.self) {
      try await read(["password": "p", "visibility": "only", "contacts": ["group:Friends"].value])
    }
    #expect(groups?.code == .invalidArgument && groups?.text.contains("\"group:\"") == true)
  }

  @Test("What a gateway cannot say of itself is refused, and so is more than it may say")
  @LoopActor func limits() async throws {
    let features = (0...GatewayConfiguration.mostFeatures).map { "urn:\($0)" }
    #expect(try await read(["password": "p", "features": Array(features.dropLast()).value]).features.count == 256)
    let identities = Array(repeating: identity("gateway", "sip"), count: GatewayConfiguration.mostIdentities + 1)
    let cases: [([String: Value], AccountError.Code)] = [
      (["features": features.value], .limitExceeded), (["identities": identities.value], .limitExceeded),
      (["features": [""].value], .invalidArgument), (["features": ["urn:\u{FFFE}"].value], .invalidArgument),
      (["identities": [identity("", "sip")].value], .invalidArgument),
    ]
    for (parameters, code) in cases {
      let error = await #expect(throws: AccountError.self) {
        try await read(parameters.merging(["password": "p"]) { old, _ in old })
      }
      #expect(error?.code == code)
    }
  }

  @Test("A gateway is a domain, an account has a part in front of its at sign, and no other protocol is built")
  func names() throws {
    #expect(try Parameters.name("SIP.montague.lit", of: .component).description == "sip.montague.lit")
    #expect(try Parameters.name("romeo@montague.lit", of: .xmpp).description == "romeo@montague.lit")
    for (text, kind) in [("romeo@montague.lit", ConnectionProtocol.component), ("montague.lit", .xmpp)] {
      let error = #expect(throws: AccountError.self) { try Parameters.name(text, of: kind) }
      #expect(error?.code == .invalidJID && error?.text.hasPrefix("account") == true)
    }
    for text in ["192.0.2.1", "[2001:db8::1]"] {
      let error = #expect(throws: AccountError.self) { try Parameters.name(text, of: .component) }
      #expect(
        error?.code == .invalidJID && error?.text.contains(text) == true, "it has no parent that could be the server")
    }
    #expect(try Parameters.protocol([:]) == .xmpp)
    #expect(try Parameters.protocol(["protocol": "xmpp-component"]) == .component)
    let unknown = #expect(throws: DBusError.self) { try Parameters.protocol(["protocol": "sip"]) }
    #expect(unknown?.name == .notSupported && unknown?.message.contains("\"xmpp-component\"") == true)
    let wrong = #expect(throws: DBusError.self) { try Parameters.protocol(["protocol": true]) }
    #expect(wrong?.name == .invalidArgs)
  }
}
