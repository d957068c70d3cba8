extension UnaryResponse {
    /// As it goes out, done before the loop sees it.
    func deflated(in call: ServerCall) throws(RPCError) -> UnaryResponse {
        if let compression, call.context.accepts(compression) { call.compression.choose(compression) }
        let fixed = call.compression.fix()
        guard fixed != .identity else { return self }
        var response = self
        response.payload = try payload.deflated(as: fixed)
        return response
    }
}
