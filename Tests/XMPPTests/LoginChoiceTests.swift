// SPDX-License-Identifier: Apache-2.0

import TLS
import Testing
import XML

@testable import XMPP

@Suite("The choice of a way to log in")
struct LoginChoiceTests {
  /// What both ends have, and what comes of it: the mechanism and the beginning of SCRAM's first message.
  struct Case: Sendable, CustomTestStringConvertible {
    let offered: [String]
    var announced: [String]?
    var bindings: [ChannelBinding] = []
    var isSecured = true
    var password = "pencil"
    var certificate = false
    var least: String?
    var accepts = false
    /// "mechanism header", or a part of the text of the refusal after "!".
    let expected: String

    var testDescription: String { "\(offered) \(announced ?? ["-"]) \(bindings) → \(expected)" }

    var outcome: String {
      get throws {
        var configuration = ClientConfiguration(account: try BareJID("user@shakespeare.lit"), password: password)
        configuration.clientCertificate = certificate ? try ClientCertificate(pem: Array(Certificates.none.utf8)) : nil
        configuration.leastMechanism = least
        configuration.acceptsWeakerLogin = accepts
        let features = try Element.parse(
          "<features xmlns='http://etherx.jabber.org/streams'>\(Script.mechanisms(offered))"
            + "\(announced.map(Script.channelBindings) ?? "")</features>")
        let data = Dictionary(uniqueKeysWithValues: bindings.map { ($0, Array($0.rawValue.utf8)) })
        let offer = LoginOffer(StreamFeatures(features.children), bindings: data, isSecured: isSecured)
        do throws(StreamEnd) {
          let choice = try LoginChoice(offer, configuration)
          if case .bound(let binding, let bytes) = choice.link { #expect(bytes == data[binding]) }
          return "\(choice.mechanism.rawValue) \(choice.link.header)"
        } catch {
          #expect(error.code == .authentication)
          #expect(error.isFinal)
          return error.text
        }
      }
    }

    func check() throws {
      let outcome = try outcome
      if expected.hasPrefix("!") {
        #expect(outcome.contains(expected.dropFirst()))
        #expect(!outcome.hasSuffix(",,"))
      } else {
        #expect(outcome == expected)
      }
    }
  }

  static let everything = SASLMechanism.allCases.map(\.rawValue)
  static let plus = ["SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "PLAIN"]
  static let unbound = ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"]
  static let modern: [ChannelBinding] = [.exporter, .serverEndPoint]

  @Test("Of several ways the strongest is taken, one after the other")
  func order() throws {
    var offered = Self.everything
    let expected = [
      "EXTERNAL", "SCRAM-SHA-512-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-256",
      "SCRAM-SHA-1", "PLAIN",
    ]
    var taken: [String] = []
    for _ in expected {
      let outcome = try Case(
        offered: offered, announced: ["tls-exporter"], bindings: Self.modern, certificate: true, expected: ""
      ).outcome
      let mechanism = outcome.split(separator: " ").first.map(String.init) ?? ""
      taken.append(mechanism)
      offered.removeAll { $0 == mechanism }
    }
    #expect(taken == expected)
    #expect(SASLMechanism.allCases.sorted(by: >).map(\.rawValue) == expected)
  }

  @Test(
    "The channel binding is one that both ends have",
    arguments: [
      // As the server announces them, the best first.
      Case(
        offered: plus, announced: ["tls-server-end-point", "tls-unique", "tls-exporter"],
        bindings: ChannelBinding.allCases,
        expected: "SCRAM-SHA-256-PLUS p=tls-exporter,,"),
      Case(
        offered: plus, announced: ["tls-server-end-point", "tls-unique"], bindings: ChannelBinding.allCases,
        expected: "SCRAM-SHA-256-PLUS p=tls-unique,,"),
      Case(
        offered: plus, announced: ["tls-server-end-point", "tls-unique"], bindings: modern,
        expected: "SCRAM-SHA-256-PLUS p=tls-server-end-point,,"),
      Case(
        offered: plus, announced: ["foo", "tls-exporter"], bindings: modern,
        expected: "SCRAM-SHA-256-PLUS p=tls-exporter,,"),
      // Nothing announced: tls-unique with TLS 1.2, nothing with TLS 1.3.
      Case(offered: plus, bindings: ChannelBinding.allCases, expected: "SCRAM-SHA-256-PLUS p=tls-unique,,"),
      Case(offered: plus, bindings: modern, expected: "SCRAM-SHA-256 n,,"),
      Case(offered: plus, bindings: [.serverEndPoint], expected: "SCRAM-SHA-256 n,,"),
      Case(offered: plus, expected: "SCRAM-SHA-256 n,,"),
      // Announced, but not by us: with the certificate's hash on the list nobody has tampered with it.
      Case(
        offered: plus, announced: ["tls-unique", "tls-server-end-point"], bindings: [.exporter],
        expected: "SCRAM-SHA-256 n,,"),
      // The server must learn that its -PLUS did not get here, if it had any.
      Case(offered: unbound, bindings: modern, expected: "SCRAM-SHA-256 y,,"),
      Case(offered: unbound, announced: ["tls-exporter"], bindings: modern, expected: "SCRAM-SHA-256 y,,"),
      Case(offered: unbound, expected: "SCRAM-SHA-256 n,,"),
      // In the clear there is nothing to tie to, whatever is said.
      Case(offered: unbound, bindings: modern, isSecured: false, expected: "SCRAM-SHA-256 n,,"),
      Case(
        offered: plus, announced: ["tls-exporter"], bindings: modern, isSecured: false, expected: "SCRAM-SHA-256 n,,"),
      Case(offered: ["SCRAM-SHA-512-PLUS"], bindings: modern, expected: "!this connection has no channel binding"),
    ])
  func binding(_ one: Case) throws { try one.check() }

  @Test(
    "A list of channel bindings that nobody could use is somebody else's work",
    arguments: [
      Case(offered: plus, announced: ["foo"], bindings: modern, expected: "!tls-server-end-point"),
      Case(offered: plus, announced: [], bindings: modern, expected: "!Nothing was sent"),
      Case(offered: plus, announced: ["tls-unique"], bindings: modern, expected: "!accept-weaker-login"),
      Case(
        offered: plus, announced: ["tls-unique"], bindings: modern, accepts: true, expected: "SCRAM-SHA-256 n,,"),
      // A certificate needs none.
      Case(
        offered: plus + ["EXTERNAL"], announced: ["foo"], bindings: modern, certificate: true, expected: "EXTERNAL n,,"),
    ])
  func tampered(_ one: Case) throws { try one.check() }

  @Test(
    "A way in is taken where we have what it takes",
    arguments: [
      Case(offered: everything, expected: "SCRAM-SHA-512 n,,"),
      Case(offered: everything, password: "", certificate: true, expected: "EXTERNAL n,,"),
      Case(offered: everything, isSecured: false, certificate: true, expected: "SCRAM-SHA-512 n,,"),
      Case(offered: unbound, certificate: true, expected: "SCRAM-SHA-256 n,,"),
      Case(offered: ["PLAIN", "DIGEST-MD5", "scram-sha-1"], expected: "PLAIN n,,"),
      Case(offered: ["PLAIN"], isSecured: false, expected: "!never sent in the clear"),
      Case(offered: ["PLAIN", "EXTERNAL"], isSecured: false, expected: "!never sent in the clear"),
      Case(offered: ["EXTERNAL"], expected: "!set client-certificate"),
      Case(offered: ["EXTERNAL"], isSecured: false, certificate: true, expected: "!set tls to starttls"),
      Case(offered: unbound, password: "", certificate: true, expected: "!client certificate"),
      Case(offered: unbound + ["EXTERNAL"], password: "", expected: "!password is empty"),
      Case(offered: unbound, isSecured: false, password: "", certificate: true, expected: "!set tls to starttls"),
      Case(offered: ["scram-sha-1", "DIGEST-MD5"], expected: "!that we know"),
      Case(offered: ["DIGEST-MD5"], password: "", expected: "!that we know"),
      Case(offered: [], expected: "!offers no way to log in."),
      Case(offered: [], isSecured: false, expected: "!without TLS"),
    ])
  func possible(_ one: Case) throws { try one.check() }

  @Test(
    "A server that has only weaker ways than before is not told anything",
    arguments: [
      Case(offered: ["PLAIN"], least: "SCRAM-SHA-1", expected: "!by SCRAM-SHA-1 before"),
      Case(offered: ["PLAIN"], least: "SCRAM-SHA-1", expected: "!now is PLAIN"),
      Case(offered: ["PLAIN"], least: "SCRAM-SHA-1", expected: "!accept-weaker-login"),
      Case(offered: unbound, least: "SCRAM-SHA-512", expected: "!now is SCRAM-SHA-256"),
      Case(offered: unbound, bindings: modern, least: "SCRAM-SHA-1-PLUS", expected: "!Nothing was sent"),
      Case(offered: plus, bindings: modern, least: "SCRAM-SHA-256-PLUS", expected: "!now is SCRAM-SHA-256:"),
      Case(offered: unbound, certificate: true, least: "EXTERNAL", expected: "!by EXTERNAL before"),
      // One that a later version remembered.
      Case(offered: everything, least: "SCRAM-SHA3-512", expected: "!by SCRAM-SHA3-512 before"),
      Case(offered: ["PLAIN"], least: "SCRAM-SHA-1", accepts: true, expected: "PLAIN n,,"),
      Case(offered: unbound, bindings: modern, accepts: true, expected: "SCRAM-SHA-256 n,,"),
      Case(offered: everything, least: "SCRAM-SHA3-512", accepts: true, expected: "SCRAM-SHA-512 n,,"),
    ])
  func weaker(_ one: Case) throws { try one.check() }

  @Test(
    "The same way as before will do, and a stronger one",
    arguments: [
      Case(offered: ["PLAIN"], least: "PLAIN", expected: "PLAIN n,,"),
      Case(offered: unbound, least: "SCRAM-SHA-256", expected: "SCRAM-SHA-256 n,,"),
      Case(offered: unbound, least: "PLAIN", expected: "SCRAM-SHA-256 n,,"),
      Case(
        offered: plus, bindings: [.unique], least: "SCRAM-SHA-512", expected: "SCRAM-SHA-256-PLUS p=tls-unique,,"),
      Case(offered: everything, certificate: true, least: "SCRAM-SHA-512-PLUS", expected: "EXTERNAL n,,"),
      // The certificate was taken away on purpose.
      Case(offered: ["PLAIN"], least: "EXTERNAL", expected: "PLAIN n,,"),
    ])
  func asStrong(_ one: Case) throws { try one.check() }

  @Test("What is remembered is the strongest that has worked, and a certificate only while it is used")
  func remembered() {
    #expect(SASLMechanism.plain.remembered(after: nil) == .plain)
    #expect(SASLMechanism.scramSHA1.remembered(after: .plain) == .scramSHA1)
    #expect(SASLMechanism.plain.remembered(after: .scramSHA1) == .scramSHA1)
    #expect(SASLMechanism.external.remembered(after: .scramSHA512Plus) == .external)
    #expect(SASLMechanism.external.remembered(after: .external) == .external)
    #expect(SASLMechanism.scramSHA256.remembered(after: .external) == .scramSHA256)
  }
}
