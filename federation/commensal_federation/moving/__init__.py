"""An enterprise moves to another instance, and all peers that trade with it follow.

The home with the highest *authority epoch* has authority over an enterprise; each move raises it by one. With the help
of the old home:

    owner offers -> new home accepts -> old home freezes and exports -> new home tries the import and says it is ready
    -> old home hands over, and tells all peers (`Move`) -> each follows when the documents of both homes agree

The hand-over is one transaction of the old home: before it the old home has authority, after it the new one, and at no
moment both. Without the old home the producer's recovery key signs the `Move`, and peers wait three days.
"""
