// SPDX-License-Identifier: Apache-2.0

import Support

/// The certificates that proxies show.
struct Certificates: Sendable {
  /// Whom the program is told to believe.
  let root: TestCertificate
  /// One that is as it should be.
  let good: TestCertificate
  let expired: TestCertificate
  let notYetValid: TestCertificate
  let otherHost: TestCertificate
  let selfSigned: TestCertificate
  /// Signed by one that the root has signed, which is not shown.
  let missingLink: TestCertificate
  /// Signed by one that may not sign, which is shown.
  let signedByHost: TestCertificate
  /// Signed by another root of the same name.
  let falseRoot: TestCertificate

  static let all = Result { try Certificates() }

  private init() throws {
    root = try TestCertificate("Root of the fault tests", maySign: true)
    good = try TestCertificate("localhost", issuer: root)
    expired = try TestCertificate("localhost", issuer: root, validity: -86_400...(-3600))
    notYetValid = try TestCertificate("localhost", issuer: root, validity: 3600...86_400)
    otherHost = try TestCertificate("elsewhere.example", issuer: root)
    selfSigned = try TestCertificate("localhost")
    let middle = try TestCertificate("Middle of the fault tests", issuer: root, maySign: true)
    missingLink = try TestCertificate("localhost", issuer: middle)
    signedByHost = try TestCertificate("localhost", issuer: good, showsIssuer: true)
    let other = try TestCertificate("Root of the fault tests", maySign: true)
    falseRoot = try TestCertificate("localhost", issuer: other, showsIssuer: true)
  }
}
