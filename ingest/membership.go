package ingest

import (
	"errors"
	"fmt"

	"github.com/coldstream/coldstream/schemas"
)

// errReplaced says that the group has dropped the member that took what the session holds.
var errReplaced = errors.New("the group dropped this member, and its partitions may have had another owner since")

// membership gives the group's member id and generation, as long as the id is the one under which the session took its
// partitions.
//
// A member that is dropped while its JoinGroup is on the way joins again under a new id, and the client tells no one: it
// keeps the partitions that the new id gets too and revokes the others, as if there had been no owner between. A commit
// under the new id would be accepted. Under the old one the broker refuses it, so comparing the ids before a request
// that carries this very answer leaves no gap.
func (s *session) membership() (id string, generation int32, err error) {
	id, generation = s.client.GroupMetadata()
	if id == "" || id != s.member {
		return "", -1, fmt.Errorf("%w: member %q of group %s is now %q", errReplaced, s.member, s.cfg.Group, id)
	}
	return id, generation, nil
}

// enter notes the member id of an assignment. Cooperative rebalances keep it, so an assignment under another one while
// partitions are held means that these were lost.
func (s *session) enter() error {
	if len(s.parts) == 0 {
		s.member, _ = s.client.GroupMetadata()
	}
	_, _, err := s.membership()
	return err
}

// replaced drops everything held and ends the session.
func (s *session) replaced(err error) {
	s.loseAll()
	s.fail(fmt.Errorf("%w: %w", schemas.ErrRewind, err))
}
