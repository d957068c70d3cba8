print("framemesh")
