/// That this program was built with. Its version is in no string: what is built can only ask whether it is that or later.
enum SwiftCompiler {
    static var version: String {
        #if compiler(>=6.4)
            return "6.4 or later"
        #elseif compiler(>=6.3.2)
            return "6.3.2 or later"
        #elseif compiler(>=6.3.1)
            return "6.3.1"
        #elseif compiler(>=6.3)
            return "6.3"
        #else
            return "6.2"
        #endif
    }
}
