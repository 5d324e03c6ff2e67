// SPDX-License-Identifier: Apache-2.0

import Glibc
import Support
import Testing

/// From the command line to DNS, and from there to a server.
@Suite("The server of a domain", .serialized, .timeLimit(.minutes(15)))
struct ServerLookupTests {
  /// What Connect answers for an account of a domain that only the DNS stub knows.
  private func connect(_ witness: Witness, _ domain: String, _ stub: DNSStub) throws -> RawBus.Refusal? {
    let daemon = try DaemonProcess(on: witness.bus, arguments: ["--dns-server", stub.address])
    defer { _ = try? daemon.terminate() }
    let parameters = BusValue.array("{sv}", [.entry(.string("password"), .variant(.string("secret")))])
    let path = try witness.owner.call(
      DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "AddConnection",
      [.string("juliet@\(domain)"), parameters]
    ).first?.text
    do {
      try witness.owner.call(
        DaemonProcess.busName, try #require(path), "org.nightcloak.Presence1.Connection", "Connect")
      return nil
    } catch let refusal as RawBus.Refusal {
      return refusal
    }
  }

  @Test("--dns-server is asked, and its records lead to the server of the domain; what failed is named")
  func records() async throws {
    try await Witness.run(withDaemon: false) { witness in
      let (stub, domain, port) = (try DNSStub(), "nightcloak.test", witness.server.clientPort)
      stub.set(
        "xmpp-client", of: domain,
        [.init("gone.\(domain)", port: 1, priority: 1), .init("xmpp.\(domain)", port: port, priority: 2)])
      stub.set("xmpp.\(domain)", .a, .addresses(["127.0.0.1"]))
      let text = "\(try #require(try connect(witness, domain, stub)))"
      #expect(text.contains("gone.\(domain): there is no such name in DNS"), "\(text)")
      // Prosody itself says so: it does not have this domain.
      #expect(text.contains("xmpp.\(domain) (127.0.0.1:\(port)): "), "\(text)")
      #expect(text.contains("does not serve nightcloak.test"), "\(text)")
    }
  }

  @Test("What is no DNS server is refused", arguments: ["dns.example.org", "127.0.0.1:0", ""])
  func refused(server: String) async throws {
    try await Witness.run(withDaemon: false) { witness in
      let outcome = try run([
        DaemonProcess.program, "--address", witness.bus.address, "--dns-server", server,
      ])
      #expect(outcome.ending == .status(2))
      #expect(outcome.errors.contains("is no address of a DNS server"), "\(outcome.errors)")
    }
  }
}
