import CLibFuzzer
import FuzzTargets

/// libFuzzer over the target that the program's own name tells: `fuzz-frames` is a link to it that runs the target `frames`.
///
/// The name, and not an argument, since libFuzzer starts itself anew to merge corpora and to make an input smaller.
@main struct FuzzDriver {
  static func main() {
    var arguments = CommandLine.argc
    var values = CommandLine.unsafeArgv
    LLVMFuzzerRunDriver(&arguments, &values) { start, count in
      do throws(BrokenClaim) {
        try target.check(Array(UnsafeBufferPointer(start: start, count: count)))
      } catch {
        fatalError("Broken claim: \(error.claim)")
      }
      return 0
    }
  }
}

private let target: FuzzTarget = {
  let name = CommandLine.arguments[0].split(separator: "/").last?.dropFirst("fuzz-".count) ?? ""
  guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
    fatalError("Start me as fuzz-TARGET: \(FuzzTarget.all.map(\.name))")
  }
  return target
}()
