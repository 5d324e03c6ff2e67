// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import nightcloak_loopback

// getopt has one state for the whole process.
@Suite("nightcloak-loopback's command line", .serialized)
struct CommandLineTests {
  private func parse(_ words: String...) -> CommandLineOptions.Outcome {
    CommandLineOptions.parse(["nightcloak-loopback"] + words, version: "1.2.3")
  }

  @Test("Whoever says nothing but who may log in gets a server on loopback, with TLS and all mechanisms")
  func defaults() {
    var expected = CommandLineOptions()
    expected.users = "file"
    #expect(parse("--users", "file") == .run(expected))
    #expect(expected.address == "127.0.0.1")
    #expect(expected.port == 5222)
    #expect(expected.offersTLS)
    #expect(!expected.allowsPlain)
    #expect(expected.mechanisms == Set(ServerMechanism.allCases))
  }

  @Test("Every option is taken")
  func everything() {
    var expected = CommandLineOptions()
    expected.users = "-"
    expected.port = 0
    expected.domain = "capulet.example"
    expected.mechanisms = [.privacyList, .blocking]
    expected.certificate = "c"
    expected.allowsPlain = true
    expected.offersPlus = false
    expected.components = "k"
    expected.resumeSeconds = 0
    expected.record = "r"
    expected.address = "::1"
    let outcome = parse(
      "--users", "-", "--port=0", "--domain", "capulet.example", "--mechanisms", "privacy-list,blocking",
      "--certificate", "c", "--plain", "--no-plus", "--components", "k", "--resume-seconds", "0", "--record", "r",
      "--listen", "::1")
    #expect(outcome == .run(expected))
  }

  @Test("Its mechanisms are a list, all or none")
  func mechanisms() {
    #expect(ServerMechanism.read("all") == Set(ServerMechanism.allCases))
    #expect(ServerMechanism.read("none") == [])
    #expect(ServerMechanism.read("invisible-presence") == [.invisiblePresence])
    #expect(ServerMechanism.read("blocking,invisible-command") == [.blocking, .invisibleCommand])
    for wrong in ["", ",", "blocking,", "all,blocking", "Blocking", "directed"] {
      #expect(ServerMechanism.read(wrong) == nil, "\(wrong)")
    }
  }

  @Test("What makes no sense is refused, and named")
  func refused() {
    let cases: [([String], String)] = [
      ([], "--users"), (["--users"], "--users"), (["--users", "-", "--port", "65536"], "65536"),
      (["--users", "-", "--port", "-1"], "-1"), (["--users", "-", "--domain", "Capulet"], "Capulet"),
      (["--users", "-", "--domain", ""], "domain"), (["--users", "-", "--mechanisms", "magic"], "magic"),
      (["--users", "-", "--resume-seconds", "86401"], "86401"),
      (["--users", "-", "--components", "-"], "standard input"),
      (["--users", "-", "--no-tls", "--certificate", "c"], "certificate"), (["--users", "-", "juliet"], "juliet"),
      (["juliet", "--users", "-"], "juliet"), (["--users", "-", "--passwords"], "--passwords"),
    ]
    for (words, name) in cases {
      guard case .refuse(let text) = CommandLineOptions.parse(["nightcloak-loopback"] + words, version: "1") else {
        Issue.record("taken: \(words)")
        continue
      }
      #expect(text.contains(name), "\(words): \(text)")
    }
  }

  @Test("It tells what it is")
  func help() {
    #expect(parse("--version") == .print("nightcloak-loopback 1.2.3"))
    for word in ["-h", "--help"] {
      guard case .print(let text) = parse(word) else { return #expect(Bool(false), "\(word)") }
      #expect(text.contains("Not for production"))
    }
  }
}
