"""An enterprise moves to another instance, and everybody it trades with follows, or nobody is fooled.

Who speaks for an enterprise is told by a number, its *authority epoch*, which each move raises by one. With the help
of the old home:

    owner offers -> new home accepts -> old home freezes and exports -> new home tries the import and says it is ready
    -> old home hands over, and tells all peers (`Move`) -> each follows when the documents of both homes agree

The hand-over is one transaction of the old home: before it the old home speaks, after it the new one, and at no moment
both. Without the old home a `Move` is signed by the producer's recovery key, and waits for three days for an objection.
"""
