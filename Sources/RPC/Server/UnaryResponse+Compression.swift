extension UnaryResponse {
    /// As it came in. An answer that cannot be inflated is one all the same: it is no reason to ask again.
    mutating func inflate() throws(RPCError) {
        guard payload.inflater != nil else { return }
        do throws(RPCError) { payload = try payload.inflated() } catch {
            var error = error
            error.isCommitted = true
            throw error
        }
    }

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
